// Ten million iterations of a loop in a function.
function main() {
  let total = 0;
  for (let number = 0; number < 10000000; number += 1) {
    total = (total + number) % 1000003;
  }
  console.log(total);
}

main();
