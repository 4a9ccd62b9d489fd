// A task planner: generics, LINQ, pattern matching, iterators, async, operators, exceptions.
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Numerics;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Tasks;
using System.Xml.Linq;

namespace Planning
{
    [Flags]
    enum Needs { Nothing = 0, Paint = 1, Wood = 2, Both = Paint | Wood }

    struct Span : IComparable<Span>
    {
        public readonly int Minutes;
        public Span(int minutes) => Minutes = minutes;
        public static Span operator +(Span a, Span b) => new Span(a.Minutes + b.Minutes);
        public static implicit operator Span(int minutes) => new Span(minutes);
        public int CompareTo(Span other) => Minutes.CompareTo(other.Minutes);
        public override string ToString() => Minutes < 60 ? $"{Minutes}m" : $"{Minutes / 60}h{Minutes % 60:00}";
    }

    sealed class CycleException : Exception
    {
        public IReadOnlyList<string> Path { get; }
        public CycleException(IEnumerable<string> path) : base("tasks wait for each other") => Path = path.ToList();
    }

    abstract class Job
    {
        public string Name { get; set; }
        public Span Time { get; set; }
        public Needs Needs { get; set; }
        public List<string> After { get; } = new List<string>();
        public virtual string Describe() => $"{Name,-6} {Time,5} {Needs}";
    }

    class Chore : Job { }

    class Deal : Job
    {
        public decimal Price;
        public override string Describe() => base.Describe() + Price.ToString(" 0.00", CultureInfo.InvariantCulture);
    }

    class Plan
    {
        readonly Dictionary<string, Job> jobs = new Dictionary<string, Job>();
        public event Action<string> Rejected;
        public Job this[string name] => jobs.TryGetValue(name, out var job) ? job : throw new KeyNotFoundException(name);

        public void Read(string text)
        {
            var pattern = new Regex(@"^(?<name>\w+) (?<minutes>\d+)(?: \$(?<price>[\d.]+))?(?: <- (?<after>[\w, ]+))?$");
            foreach (var pair in text.Split('\n').Select((line, index) => (text: line.Trim(), number: index + 1)))
            {
                var (line, number) = pair;
                var match = pattern.Match(line);
                if (!match.Success) { Rejected?.Invoke($"line {number}: {line}"); continue; }
                Job job = match.Groups["price"].Success
                    ? new Deal { Price = decimal.Parse(match.Groups["price"].Value, CultureInfo.InvariantCulture) }
                    : (Job)new Chore();
                job.Name = match.Groups["name"].Value;
                job.Time = int.Parse(match.Groups["minutes"].Value);
                job.Needs = (Needs)(job.Name.Length % 4);
                job.After.AddRange(match.Groups["after"].Value.Split(new[] { ',', ' ' }, StringSplitOptions.RemoveEmptyEntries));
                jobs[job.Name] = job;
            }
        }

        IEnumerable<Job> Visit(string name, Dictionary<string, bool> state, Stack<string> path)
        {
            bool done; // mcs cannot declare it in the call of an iterator
            if (state.TryGetValue(name, out done))
            {
                if (done) yield break;
                throw new CycleException(path.Reverse().Concat(new[] { name }));
            }
            state[name] = false;
            path.Push(name);
            foreach (var before in this[name].After.OrderBy(each => each, StringComparer.Ordinal))
                foreach (var job in Visit(before, state, path)) yield return job;
            path.Pop();
            state[name] = true;
            yield return this[name];
        }

        public IEnumerable<Job> Order()
        {
            var state = new Dictionary<string, bool>();
            var path = new Stack<string>();
            return jobs.Keys.OrderBy(each => each, StringComparer.Ordinal).SelectMany(name => Visit(name, state, path));
        }
    }

    static class Program
    {
        static string Kind(object value)
        {
            if (value == null) return "nothing";
            if (value is Deal deal && deal.Price > 100) return "dear";
            return value is Job job ? job.GetType().Name.ToLowerInvariant() : value.GetType().Name;
        }

        static async Task<int> Slow(int n)
        {
            await Task.Yield();
            return n * n;
        }

        static async Task Run()
        {
            var plan = new Plan();
            plan.Rejected += text => Console.WriteLine("rejected " + text);
            plan.Read("build 90 <- plan, buy\nbuy 45 $129.5 <- plan\npaint 30 $9.99 <- build\nnonsense\nplan 15");
            foreach (var job in plan.Order()) Console.WriteLine(job.Describe());
            Console.WriteLine(plan.Order().Select(job => job.Time).Aggregate((a, b) => a + b) + " " + plan.Order().Max(job => job.Time));
            plan["plan"].After.Add("paint");
            try { Console.WriteLine(plan.Order().Count()); }
            catch (CycleException problem) { Console.WriteLine($"{problem.Message}: {string.Join(" > ", problem.Path)}"); }
            try { Kind(plan["sleep"]); }
            catch (KeyNotFoundException problem) when (problem.Message == "sleep") { Console.WriteLine("no job " + problem.Message); }
            finally { Console.WriteLine(string.Join(" ", new object[] { null, plan["buy"], plan["plan"], 1.5 }.Select(Kind))); }
            var squares = await Task.WhenAll(Enumerable.Range(1, 5).Select(Slow));
            var bag = new ConcurrentBag<int>();
            var threads = squares.Select(square => new Thread(() => bag.Add(square))).ToList();
            threads.ForEach(thread => thread.Start());
            threads.ForEach(thread => thread.Join());
            Console.WriteLine($"{squares.Sum()} {bag.Count} {BigInteger.Pow(3, 60)} {Encoding.UTF8.GetByteCount("größe")}");
            dynamic loose = new XElement("job", new XAttribute("n", 1), "x<y");
            Console.WriteLine(loose.ToString() + " " + (loose.Value + 1));
            dynamic[] mixed = { 1, "a", 2.5m };
            foreach (var group in mixed.GroupBy(each => each is string).OrderBy(each => each.Key))
                Console.WriteLine($"{group.Key}: {group.Count()} {DateTime.Parse("2024-02-29", CultureInfo.InvariantCulture).AddYears(1):yyyy-MM-dd}");
        }

        static void Main() => Run().GetAwaiter().GetResult();
    }
}
