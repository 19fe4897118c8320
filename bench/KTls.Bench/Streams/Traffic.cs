namespace KTls.Bench.Streams;

/// <summary>What the measured end does.</summary>
internal enum Traffic
{
    /// <summary>Receives messages, one after the other.</summary>
    Receive,

    /// <summary>Sends messages, one after the other.</summary>
    Send,

    /// <summary>Sends a message and waits for one of the same size.</summary>
    Exchange,
}

/// <summary>Traffic of a size.</summary>
/// <param name="Traffic">What is done.</param>
/// <param name="Size">Bytes of a message, each a write of its own.</param>
/// <param name="Count">So many messages.</param>
/// <param name="Buffer">Bytes of the receiver's buffer.</param>
internal sealed record Workload(Traffic Traffic, int Size, int Count, int Buffer = 256 * 1024)
{
    public long Bytes => (long)Size * Count;

    /// <summary>For people.</summary>
    public override string ToString() => Traffic switch
    {
        Traffic.Receive => $"receive, {Text(Size)} a record, buffer of {Text(Buffer)}",
        Traffic.Send => $"send, {Text(Size)} a write",
        _ => $"exchange, {Text(Size)} there and back",
    };

    private static string Text(int bytes) => bytes < 1024 ? $"{bytes} B" : $"{bytes / 1024} KiB";
}
