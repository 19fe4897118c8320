using System.Diagnostics;
using System.Globalization;
using KTls.Bench.Files;

namespace KTls.Bench.Transfers;

/// <summary>A sender and a receiver of one kind, in a process each.</summary>
internal sealed class TransferPair : IDisposable
{
    private readonly ChildProcess _sender;
    private readonly ChildProcess _receiver;
    private readonly string _port;

    public TransferPair(TransferKind kind)
    {
        Kind = kind;
        _sender = Start(Role.Measured, "sender");
        _receiver = Start(Role.Peer, "receiver");
        _port = _sender.Answer();
    }

    public TransferKind Kind { get; }

    /// <summary>Sends so many times so many bytes.</summary>
    /// <param name="size">Bytes of a write, or of the file.</param>
    /// <param name="count">How often.</param>
    /// <param name="source">A file; null: from memory.</param>
    /// <param name="buffer">Bytes of the receiver's buffer.</param>
    public TransferUsage Run(int size, int count, string? source, int buffer)
    {
        _sender.Tell(string.Create(CultureInfo.InvariantCulture, $"{size} {count} {source ?? "write"}"));
        _receiver.Tell(string.Create(CultureInfo.InvariantCulture, $"{_port} {size} {count} {buffer}"));
        Expect("ready");
        TimeSpan sender = ProcessTime.Of(_sender.Id);
        TimeSpan receiver = ProcessTime.Of(_receiver.Id);
        long begin = Stopwatch.GetTimestamp();
        _receiver.Tell("go");
        Expect(((long)size * count).ToString(CultureInfo.InvariantCulture));
        return new TransferUsage(Stopwatch.GetElapsedTime(begin), ProcessTime.Of(_sender.Id) - sender, ProcessTime.Of(_receiver.Id) - receiver);
    }

    public void Dispose()
    {
        _receiver.Dispose();
        _sender.Dispose();
    }

    private ChildProcess Start(Role role, string end) => Kind == TransferKind.Limit
        ? ChildProcess.Of(role, LimitProgram.Path!, end)
        : new ChildProcess(role, TransferEnds.Command, end, Kind.ToString());

    private void Expect(string expected)
    {
        if (_receiver.Answer() is var answer && answer != expected)
        {
            throw new InvalidOperationException($"The receiver ({Kind}) says '{answer}', not '{expected}'.");
        }
    }
}

/// <summary>What a transfer took.</summary>
internal readonly record struct TransferUsage(TimeSpan Wall, TimeSpan Sender, TimeSpan Receiver);
