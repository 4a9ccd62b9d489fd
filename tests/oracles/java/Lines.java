import com.sun.jdi.*;
import com.sun.jdi.connect.*;
import com.sun.jdi.event.*;
import com.sun.jdi.request.*;
import java.io.*;
import java.util.*;

/**
 * The lines that a program's main thread ran, in order, by the JVM's own debugger interface: a
 * breakpoint wherever the compiler began a line. Knows nothing of tracer.
 *
 * <p>Arguments: class path, main class. Prints `line` for each visit, and at the end `=` with the
 * numbers of all lines that have code.
 */
public class Lines {
    public static void main(String[] args) throws Exception {
        LaunchingConnector connector = Bootstrap.virtualMachineManager().defaultConnector();
        Map<String, Connector.Argument> how = connector.defaultArguments();
        how.get("main").setValue(args[1]);
        how.get("options").setValue("-cp " + args[0]);
        VirtualMachine machine = connector.launch(how);
        drain(machine.process().getInputStream());
        drain(machine.process().getErrorStream());
        machine.process().getOutputStream().close();
        ClassPrepareRequest prepare = machine.eventRequestManager().createClassPrepareRequest();
        for (String system : new String[] {"java.*", "javax.*", "jdk.*", "sun.*", "com.sun.*"}) {
            prepare.addClassExclusionFilter(system);
        }
        prepare.enable();
        PrintStream out = new PrintStream(new BufferedOutputStream(System.out));
        TreeSet<Integer> all = new TreeSet<>();
        boolean over = false;
        while (!over) {
            EventSet events = machine.eventQueue().remove();
            for (Event event : events) {
                if (event instanceof ClassPrepareEvent) {
                    watch(machine, ((ClassPrepareEvent) event).referenceType(), all);
                } else if (event instanceof BreakpointEvent) {
                    BreakpointEvent hit = (BreakpointEvent) event;
                    // A name that the request carries: nothing may be asked while the thread runs on.
                    out.println(hit.request().getProperty("line") + " " + hit.thread().uniqueID());
                } else if (event instanceof VMDisconnectEvent) {
                    over = true;
                }
            }
            events.resume();
        }
        StringJoiner lines = new StringJoiner(" ");
        for (int line : all) {
            lines.add(Integer.toString(line));
        }
        out.println("= " + lines);
        out.close();
    }

    private static void watch(VirtualMachine machine, ReferenceType type, Set<Integer> all)
            throws Exception {
        for (Method method : type.methods()) {
            if (method.isSynthetic() && !method.name().startsWith("lambda$")) {
                continue;
            }
            List<Location> locations;
            try {
                locations = new ArrayList<>(method.allLineLocations());
            } catch (AbsentInformationException none) {
                continue;
            }
            locations.sort(Comparator.comparingLong(Location::codeIndex));
            int before = -1;
            for (Location location : locations) {
                int line = location.lineNumber();
                if (line != before) {
                    BreakpointRequest request =
                            machine.eventRequestManager().createBreakpointRequest(location);
                    request.putProperty("line", line);
                    request.setSuspendPolicy(EventRequest.SUSPEND_NONE);
                    request.enable();
                    all.add(line);
                }
                before = line;
            }
        }
    }

    private static void drain(InputStream from) {
        Thread thread = new Thread(() -> {
            try {
                while (from.read() >= 0) {
                    // Only so that the program does not wait.
                }
            } catch (IOException closed) {
                // It is over.
            }
        });
        thread.setDaemon(true);
        thread.start();
    }
}
