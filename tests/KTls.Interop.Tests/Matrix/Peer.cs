namespace KTls.Interop.Tests.Matrix;

/// <summary>A program, or a library, in one role: a column of the matrix.</summary>
internal abstract class Peer
{
    /// <summary>How the column is named.</summary>
    public abstract string Name { get; }

    /// <summary>Whether the peer is the client and we are the server.</summary>
    public abstract bool IsClient { get; }

    /// <summary>Why the peer cannot do a cell: in words that end a sentence, after its name; null if it can.</summary>
    public virtual string? WhyNot(Cell cell) => null;

    /// <summary>Tries cells.</summary>
    /// <returns>For each cell what went wrong, or null.</returns>
    public abstract Task<IReadOnlyDictionary<Cell, string?>> TryAsync(IReadOnlyList<Cell> cells);

    /// <summary>Tries cells one after the other.</summary>
    protected static async Task<IReadOnlyDictionary<Cell, string?>> EachAsync(IReadOnlyList<Cell> cells, Func<Trial, Task<string?>> attempt)
    {
        var results = new Dictionary<Cell, string?>();
        foreach (Cell cell in cells)
        {
            try
            {
                results[cell] = await attempt(new Trial(cell)).WaitAsync(TimeSpan.FromMinutes(3));
            }
            catch (Exception e) when (e is not (NullReferenceException or OutOfMemoryException))
            {
                results[cell] = $"{e.GetType().Name}: {e.Message}";
            }
        }

        return results;
    }
}

/// <summary>A client, for our server.</summary>
internal abstract class ClientPeer : Peer
{
    public sealed override bool IsClient => true;

    public override Task<IReadOnlyDictionary<Cell, string?>> TryAsync(IReadOnlyList<Cell> cells) => EachAsync(cells, async trial =>
    {
        await using var server = new OurServer(trial);
        Told told = await ConnectAsync(trial, server.Port);
        return await server.MismatchAsync() ?? told.Mismatch(Name, trial.Cell);
    });

    /// <summary>Makes all connections of a trial.</summary>
    /// <returns>What the peer says about the last one.</returns>
    protected abstract Task<Told> ConnectAsync(Trial trial, int port);
}

/// <summary>A server, for our client.</summary>
internal abstract class ServerPeer : Peer
{
    public sealed override bool IsClient => false;

    public override Task<IReadOnlyDictionary<Cell, string?>> TryAsync(IReadOnlyList<Cell> cells) => EachAsync(cells, async trial =>
    {
        await using RunningServer server = await StartAsync(trial);
        Told? first = trial.Cell.Connections == 2 ? await ConnectAsync(server, trial) : null;
        Told last = await ConnectAsync(server, trial);
        return first is { Data: false } or { Resumed: not false }
            ? $"our client says {first} of the first connection"
            : last.Mismatch("our client", trial.Cell) ?? (await server.TellAsync()).Mismatch(Name, trial.Cell);
    });

    protected abstract Task<RunningServer> StartAsync(Trial trial);

    private static async Task<Told> ConnectAsync(RunningServer server, Trial trial)
    {
        Task<Told> connecting = OurClient.ConnectAsync(trial, server.Port, server.Answer);
        await Task.WhenAny(connecting, server.AnswerAsync());
        return await connecting;
    }
}

/// <summary>A server that listens.</summary>
internal abstract class RunningServer(Trial trial, int port) : IAsyncDisposable
{
    public Trial Trial => trial;

    public int Port => port;

    /// <summary>What it sends last.</summary>
    public virtual string Answer => trial.Answer;

    /// <summary>Lets a connection be answered, where the program does not do so itself.</summary>
    public virtual Task AnswerAsync() => Task.CompletedTask;

    /// <summary>What it says about the last connection, when that is over.</summary>
    public abstract Task<Told> TellAsync();

    public abstract ValueTask DisposeAsync();
}
