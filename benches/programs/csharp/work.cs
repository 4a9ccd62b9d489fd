// Everyday work of several kinds, as many rounds as the argument says.
using System;
using System.Collections.Generic;

class Basket
{
    readonly Dictionary<string, int> pieces = new Dictionary<string, int>();
    public int Weight;

    public bool Put(string what, int count)
    {
        if (count <= 0)
            return false;
        int before;
        pieces.TryGetValue(what, out before);
        pieces[what] = before + count;
        Weight += count * what.Length;
        return true;
    }
}

static class Work
{
    static readonly string[] Fruits = { "apple", "pear", "fig", "plum" };

    static int Steps(long number)
    {
        int steps = 0;
        while (number != 1)
        {
            number = number % 2 == 0 ? number / 2 : 3 * number + 1;
            steps++;
        }
        return steps;
    }

    static void Sort(int[] values)
    {
        for (int end = values.Length; end > 1; end--)
        {
            for (int i = 1; i < end; i++)
            {
                if (values[i - 1] <= values[i])
                    continue;
                int kept = values[i];
                values[i] = values[i - 1];
                values[i - 1] = kept;
            }
        }
    }

    static int Ackermann(int m, int n)
    {
        if (m == 0)
            return n + 1;
        return Ackermann(m - 1, n == 0 ? 1 : Ackermann(m, n - 1));
    }

    static int Vowels(string text)
    {
        int found = 0;
        foreach (char letter in text)
        {
            switch (letter)
            {
                case 'a':
                case 'e':
                case 'i':
                case 'o':
                case 'u':
                    found++;
                    break;
            }
        }
        return found;
    }

    static long Round(int seed)
    {
        var values = new int[24];
        for (int i = 0; i < values.Length; i++)
            values[i] = (seed * 7 + i * 31) % 97;
        Sort(values);
        var basket = new Basket();
        int refused = 0;
        for (int i = 0; i < 8; i++)
        {
            if (!basket.Put(Fruits[i % Fruits.Length], i - 1))
                refused++;
        }
        return values[3] + basket.Weight + refused + Steps(27 + seed % 5) + Ackermann(2, 3)
            + Vowels("a round of work, and another one");
    }

    static void Main(string[] args)
    {
        int rounds = args.Length > 0 ? int.Parse(args[0]) : 3;
        long total = 0;
        for (int seed = 0; seed < rounds; seed++)
            total += Round(seed);
        Console.WriteLine("total " + total);
    }
}
