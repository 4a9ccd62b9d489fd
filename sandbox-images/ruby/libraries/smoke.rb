# Requires what the files of each package are required by, in a process of its own; says how that went.
# stdin: a line for each package: its name and its files, with tabs between.

require 'timeout'

SECONDS = 60
MOST = 8
# Where Ruby looks for files: its own folders, and those that gems say.
ROOTS = ($LOAD_PATH + Gem::Specification.flat_map(&:full_require_paths))
        .map { |root| "#{root.delete_prefix('/')}/" }.uniq.sort_by { |root| -root.length }
# What generators and other programs load by themselves.
ASIDE = %r{\A(?:rubygems_plugin|generators|tasks|debian|test|tests|spec)(?:/|\z)}

out = $stdout.dup
quiet = File.open('/dev/null', 'r+')
lines = $stdin.read.split("\n").map { |line| line.split("\t") }
[$stdin, $stdout, $stderr].each { |stream| stream.reopen(quiet) }

lines.each do |package, *files|
  names = files.grep(/\.(?:rb|so)\z/).filter_map do |file|
    root = ROOTS.find { |each| file.start_with?(each) }
    file.delete_prefix(root).sub(/\.\w+\z/, '') if root
  end
  names.reject! { |name| name.match?(ASIDE) }
  shallow = names.map { |name| name.count('/') }.min
  # A name like the package's is its door.
  alike = package.delete_prefix('ruby-').tr('-_', '//')
  doors = names.select { |name| name.tr('-_', '//') == alike }
  tops = names.select { |name| name.count('/') == shallow }.sort
  (doors + tops).uniq.first(MOST).each do |name|
    reader, writer = IO.pipe
    child = fork do
      reader.close
      said = 'ok'
      begin
        Timeout.timeout(SECONDS) { require name }
      rescue Exception => error # rubocop:disable Lint/RescueException
        said = "#{error.class}: #{error.message.lines.first}".tr("\t\n", ' ')[0, 200]
      end
      writer.syswrite(said)
      exit!(0)
    end
    writer.close
    said = reader.read
    reader.close
    _, status = Process.wait2(child)
    said = "ended by signal #{status.termsig}" if said.empty?
    out.syswrite("#{package}\t#{name}\t#{said}\n")
  end
end
exit!(0)
