using System.Diagnostics;

namespace KTls.Fuzz;

/// <summary>
/// Fuzzes one target: what takes a new way through the code is kept, and changed again. The same seed makes the same changes, as
/// long as the code takes the same ways.
/// </summary>
internal sealed class Fuzzer
{
    private readonly Target _target;
    private readonly BlackBox? _box;
    private readonly Random _random;
    private readonly Mutator _mutator;
    private readonly DerMutator _derMutator;
    private readonly Coverage _coverage = new();
    private readonly List<byte[]> _pool = [];

    public Fuzzer(Target target, int seed, BlackBox? box)
    {
        _target = target;
        _box = box;
        _random = new Random(seed);
        _mutator = new Mutator(_random);
        _derMutator = new DerMutator(_random, _mutator);
    }

    public long Executions { get; private set; }

    /// <summary>Steps from branch to branch that were seen.</summary>
    public int Steps => _coverage.Steps;

    /// <summary>The most bytes that one execution has allocated.</summary>
    public long MostAllocated { get; private set; }

    /// <summary>The inputs that took a new way, each in its turn.</summary>
    public IReadOnlyList<byte[]> Pool => _pool;

    /// <summary>Runs inputs as they are.</summary>
    /// <exception cref="FuzzException">The target broke a promise.</exception>
    public void Try(IEnumerable<byte[]> inputs)
    {
        foreach (byte[] input in inputs)
        {
            Try(input);
        }
    }

    /// <summary>Makes new inputs until the time is over, or a number of executions was done.</summary>
    /// <exception cref="FuzzException">The target broke a promise.</exception>
    public void Run(TimeSpan time, long executions = long.MaxValue)
    {
        if (_pool.Count == 0)
        {
            _pool.Add([]);
        }

        var watch = Stopwatch.StartNew();
        for (long i = 0; i < executions && watch.Elapsed < time; i++)
        {
            // The newest inputs are the most promising.
            int newest = Math.Max(0, _pool.Count - 16);
            byte[] input = _pool[_random.Next(2) == 0 ? _random.Next(newest, _pool.Count) : _random.Next(_pool.Count)];
            byte[] other = _pool[_random.Next(_pool.Count)];
            Try(_target.IsDer && _random.Next(2) == 0
                ? _derMutator.Mutate(input, other, _target.MaxLength)
                : _mutator.Mutate(input, other, _target.MaxLength));
        }
    }

    private void Try(byte[] input)
    {
        _box?.Record(_target.Name, input);
        Coverage.Clear();
        MostAllocated = Math.Max(MostAllocated, Execution.Run(_target, input));
        Executions++;
        if (_coverage.Add())
        {
            _pool.Add(input);
        }
    }
}
