namespace FileServer;

/// <summary>A time limit that starts anew with every step of a connection, and that something else can cut short.</summary>
internal sealed class Deadline(TimeSpan limit, CancellationToken abort) : IDisposable
{
    private readonly CancellationTokenSource _source = CancellationTokenSource.CreateLinkedTokenSource(abort);

    public CancellationToken Token => _source.Token;

    /// <summary>Gives the next step its full time.</summary>
    public void Restart() => _source.CancelAfter(limit);

    public void Dispose() => _source.Dispose();
}
