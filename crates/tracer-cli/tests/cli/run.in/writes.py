with open("written.txt", "w") as file:
    file.write("kept\n")
