using System.Net;
using System.Net.Sockets;
using KTls;
using KTls.Handshake;

namespace RekeyStress;

/// <summary>One connection between two ends of ours, from the handshake to the end that its plan says.</summary>
internal sealed class Life(Run run, LifePlan plan, string name, long updates) : ILife
{
    private End? _client;
    private End? _server;
    private volatile bool _isFaultBegun;
    private volatile bool _isFailed;

    public Run Run => run;

    public Ending Ending => plan.Ending;

    /// <summary>Whether something was wrong; what follows from that is not told again.</summary>
    public bool IsFailed => _isFailed;

    /// <summary>Those that both ends have sent.</summary>
    public long Updates => (_client?.Updates.Sent ?? 0) + (_server?.Updates.Sent ?? 0);

    /// <summary>Whether this was enough: the run is over, or this connection's part in it is done.</summary>
    public bool IsStopping => run.IsStopping || _isFaultBegun || _isFailed || Updates >= updates;

    public async Task RunAsync()
    {
        try
        {
            await ConnectAsync();
        }
        catch (Exception e)
        {
            Fail($"connecting: {e.GetType().Name}: {e.Message}");
            return;
        }

        await Task.WhenAll(_client!.RunAsync(plan.Server), _server!.RunAsync(plan.Client));
        if (!_isFailed)
        {
            Judge(_client, _server);
            Judge(_server, _client);
        }

        bool isCut = _isFaultBegun || _isFailed;
        run.KernelUse.Add(_client.Updates, isCut);
        run.KernelUse.Add(_server.Updates, isCut);
        run.Totals.LifeEnded(isCut);
    }

    /// <summary>The step at which an end breaks the connection; null for the other end.</summary>
    public int? FaultOf(EndPlan end) =>
        plan.Ending != Ending.CloseNotify && ReferenceEquals(end, plan.FaultAtClient ? plan.Client : plan.Server) ? plan.FaultStep : null;

    /// <summary>From now on both ends may meet a broken connection.</summary>
    public void BeginFault() => _isFaultBegun = true;

    public void Fail(string what)
    {
        if (!_isFailed)
        {
            _isFailed = true;
            run.Findings.Add(name, what);
        }
    }

    /// <summary>
    /// Whether an exception is what a broken connection brings about: TCP's own errors or a stream that was disposed of, but no alert, no
    /// record that does not open, and nothing of the kind on a connection that nobody has broken.
    /// </summary>
    public bool IsExpected(Exception e, EndPlan end) => _isFailed || (_isFaultBegun && e switch
    {
        KernelTlsException or KeyUpdateUnavailableException => false,
        IOException => e.InnerException is not TlsAlertException,
        ObjectDisposedException => FaultOf(end) is not null,
        _ => false,
    });

    public override string ToString() => $"{name}, {plan.Suite}, to end with {plan.Ending}: {_client}; {_server}";

    private async Task ConnectAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Limit(listener, plan.Server.BufferSize); // an accepted socket inherits it
        listener.Listen(1);
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Limit(client, plan.Client.BufferSize);
        await client.ConnectAsync(listener.LocalEndPoint!);
        Socket server = await listener.AcceptAsync();
        server.NoDelay = true;

        var clientUpdates = new KeyUpdateCount(run.Totals);
        var serverUpdates = new KeyUpdateCount(run.Totals);
        Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(server, run.Identity.Server(plan.Suite), Options(plan.Server, serverUpdates));
        KTlsStream connected = await KTlsStream.AuthenticateAsClientAsync(client, run.Identity.Client, Options(plan.Client, clientUpdates));
        _client = Begin(plan.Client, connected, client, clientUpdates);
        _server = Begin(plan.Server, await accepting, server, serverUpdates);
    }

    private static KTlsOptions Options(EndPlan end, KeyUpdateCount updates)
    {
        KTlsOptions options = Run.Options(updates, end.InUserSpace);
        options.RekeyAfterRecords = end.RekeyAfterRecords;
        return options;
    }

    private End Begin(EndPlan end, KTlsStream stream, Socket socket, KeyUpdateCount updates)
    {
        updates.Begin(stream);
        DataPlaneKind expected = end.InUserSpace ? DataPlaneKind.UserSpace : DataPlaneKind.Kernel;
        return stream.Sending.Kind == expected
            ? new End(end, stream, socket, updates, this)
            : throw new InvalidOperationException($"{stream.Sending.Kind} sends at the {end.Name}: {stream.Sending.Reason}");
    }

    private static void Limit(Socket socket, int bufferSize)
    {
        if (bufferSize != 0)
        {
            socket.SendBufferSize = bufferSize;
            socket.ReceiveBufferSize = bufferSize;
        }
    }

    // After the end: what one end has sent and what the other one has got.
    private void Judge(End from, End to)
    {
        if (to.Updates.Refusal is { } refusal)
        {
            Fail($"{to.Plan.Name}: {refusal}");
        }
        else if (to.HeardGoodbye && !from.SaysGoodbye)
        {
            Fail($"{to.Plan.Name}: a close_notify that nobody has sent");
        }
        else if (to.HeardGoodbye ? to.Checked != from.Offered : to.Checked > from.Offered)
        {
            Fail($"{to.Plan.Name}: {to.Checked} bytes came, {from.Offered} were sent");
        }
        else if (to.HeardGoodbye ? to.Updates.Received != from.Updates.Sent : to.Updates.Received > from.Updates.Sent + 1)
        {
            Fail($"{to.Plan.Name}: {to.Updates.Received} KeyUpdates came, {from.Updates.Sent} were sent");
        }
        else if (!_isFaultBegun && !to.HeardGoodbye)
        {
            Fail($"{to.Plan.Name}: no close_notify");
        }
    }
}
