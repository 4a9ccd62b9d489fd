// Loads classes of each package's jars, and links them; says how that went, and which jars it took.
// stdin: a line for each package: its name and its files, with tabs between.

import java.io.DataInputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Scanner;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

public class Smoke {
    /** Names offered of one library, and classes tried for each. */
    static final int NAMES = 12;
    static final int CLASSES = 5;
    /** Jars on one class path. */
    static final int JARS = 40;

    /** Folder of classes, with a slash, to the jar that holds it. */
    static final Map<String, File> owners = new HashMap<>();
    static final Map<File, Set<String>> needs = new HashMap<>();

    public static void main(String[] args) throws Exception {
        PrintStream out = System.out;
        System.setOut(System.err);
        Map<String, Set<File>> libraries = new LinkedHashMap<>();
        Scanner lines = new Scanner(System.in, "UTF-8");
        while (lines.hasNextLine()) {
            String[] words = lines.nextLine().split("\t");
            Set<File> jars = new LinkedHashSet<>();
            for (int i = 1; i < words.length; i++) {
                if (words[i].startsWith("usr/share/java/") && words[i].endsWith(".jar")) {
                    // Versioned and plain names are links to one another.
                    File file = new File("/" + words[i]).getCanonicalFile();
                    if (file.isFile()) {
                        jars.add(file);
                    }
                }
            }
            if (!jars.isEmpty()) {
                libraries.put(words[0], jars);
            }
        }
        File[] all = new File("/usr/share/java").listFiles();
        for (File each : all == null ? new File[0] : all) {
            File file = each.getCanonicalFile();
            if (file.getName().endsWith(".jar") && file.isFile() && !needs.containsKey(file)) {
                needs.put(file, new TreeSet<>());
                for (String name : classes(file)) {
                    owners.putIfAbsent(name.substring(0, name.lastIndexOf('/') + 1), file);
                }
            }
        }
        for (Map.Entry<String, Set<File>> library : libraries.entrySet()) {
            attempt(library.getKey(), library.getValue(), out);
        }
        out.flush();
        System.exit(0);
    }

    static List<String> classes(File jar) {
        List<String> names = new ArrayList<>();
        try (JarFile file = new JarFile(jar)) {
            file.stream().map(JarEntry::getName)
                .filter(name -> name.endsWith(".class") && name.contains("/") && !name.startsWith("META-INF/"))
                .forEach(names::add);
        } catch (IOException error) {
            return names;
        }
        return names;
    }

    static void attempt(String library, Set<File> jars, PrintStream out) throws IOException {
        Set<File> path = new LinkedHashSet<>();
        ArrayDeque<File> left = new ArrayDeque<>(jars);
        while (!left.isEmpty() && path.size() < JARS) {
            File jar = left.poll();
            if (path.add(jar)) {
                for (String folder : referred(jar)) {
                    File owner = owners.get(folder);
                    if (owner != null && !path.contains(owner)) {
                        left.add(owner);
                    }
                }
            }
        }
        StringBuilder flags = new StringBuilder();
        List<URL> urls = new ArrayList<>();
        for (File jar : path) {
            urls.add(jar.toURI().toURL());
            flags.append(flags.length() == 0 ? "" : " ").append(jar.getPath());
        }
        Map<String, List<String>> folders = new java.util.TreeMap<>();
        for (File jar : jars) {
            for (String name : classes(jar)) {
                if (!name.contains("$")) {
                    String folder = name.substring(0, name.lastIndexOf('/'));
                    folders.computeIfAbsent(folder, any -> new ArrayList<>()).add(name);
                }
            }
        }
        // Packages inside an offered one go without saying.
        List<String> tops = new ArrayList<>();
        for (String folder : folders.keySet()) {
            if (tops.stream().noneMatch(top -> folder.startsWith(top + "/")) && tops.size() < NAMES) {
                tops.add(folder);
            }
        }
        try (URLClassLoader loader = new URLClassLoader(urls.toArray(new URL[0]))) {
            for (String top : tops) {
                String said = "";
                int tried = 0;
                for (String name : folders.get(top)) {
                    if (tried++ == CLASSES || said.equals("ok")) {
                        break;
                    }
                    String type = name.substring(0, name.length() - 6).replace('/', '.');
                    try {
                        Class<?> loaded = Class.forName(type, false, loader);
                        // Links what its members name.
                        loaded.getDeclaredMethods();
                        loaded.getDeclaredConstructors();
                        loaded.getDeclaredFields();
                        said = "ok";
                    } catch (Throwable error) {
                        said = error.toString().lines().findFirst().orElse("it throws").replace('\t', ' ');
                    }
                }
                out.print(library + "\t" + top.replace('/', '.') + "\t" + said
                    + (said.equals("ok") ? "\t" + flags : "") + "\n");
            }
        }
    }

    /** Folders of the classes that a jar's classes name: entries of their constant pools (JVMS 4.4.1). */
    static Set<String> referred(File jar) throws IOException {
        Set<String> folders = needs.computeIfAbsent(jar, any -> new TreeSet<>());
        if (!folders.isEmpty()) {
            return folders;
        }
        folders.add("");
        try (JarFile file = new JarFile(jar)) {
            for (JarEntry entry : file.stream().toList()) {
                if (!entry.getName().endsWith(".class") || entry.getName().startsWith("META-INF/")) {
                    continue;
                }
                try (DataInputStream in = new DataInputStream(
                        new java.io.BufferedInputStream(file.getInputStream(entry)))) {
                    pool(in, folders);
                } catch (IOException error) {
                    continue;
                }
            }
        } catch (IOException error) {
            return folders;
        }
        return folders;
    }

    static void pool(DataInputStream in, Set<String> folders) throws IOException {
        in.readInt();
        in.readInt();
        int count = in.readUnsignedShort();
        String[] texts = new String[count];
        List<Integer> classes = new ArrayList<>();
        for (int i = 1; i < count; i++) {
            switch (in.readUnsignedByte()) {
                case 1 -> texts[i] = in.readUTF();
                case 3, 4, 9, 10, 11, 12, 17, 18 -> in.readInt();
                case 5, 6 -> {
                    in.readLong();
                    i++;
                }
                case 7 -> classes.add(in.readUnsignedShort());
                case 15 -> {
                    in.readUnsignedByte();
                    in.readUnsignedShort();
                }
                default -> in.readUnsignedShort();
            }
        }
        for (int index : classes) {
            String name = texts[index];
            if (name != null && name.contains("/")) {
                name = name.replaceFirst("^\\[+L", "");
                folders.add(name.substring(0, name.lastIndexOf('/') + 1));
            }
        }
    }
}
