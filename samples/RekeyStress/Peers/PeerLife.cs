using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using KTls;

namespace RekeyStress.Peers;

/// <summary>
/// One connection with a peer of another library. It goes in rounds: data both ways with changes of our keys among it, then data of ours
/// while the peer changes its keys. A round ends when all of it has arrived and was right.
/// </summary>
internal sealed class PeerLife(Run run, int connection, long share, KeyUpdateCount updates) : ILife
{
    private readonly string _name = $"connection {connection}";
    private readonly Random _random = Script.RandomOf(run.Settings.Seed, connection);
    private readonly GrowingNumber _checked = new();
    private PeerProgram? _program;
    private PeerProcess? _peer;
    private long _ourOrigin;
    private long _peersOrigin;
    private long _sent;
    private long _peerSent;
    private bool _inUserSpace;
    private int _round;

    public long Updates => updates.Sent + updates.Received;

    // Where the kernel cannot change keys, ours stay as they are.
    private bool CanUpdate => run.KernelCanRekey || _inUserSpace;

    public async Task RunAsync()
    {
        string? failure = null;
        try
        {
            await TalkAsync();
        }
        catch (Exception e) when (e is not UserErrorException)
        {
            failure = $"{e.GetType().Name}: {e.Message}";
        }
        finally
        {
            _peer?.Dispose();
        }

        if (failure is not null)
        {
            run.Findings.Add($"{_name}, {_program!.Command}, round {_round}", $"{failure} The peer says: {(_peer is null ? null : await _peer.Errors)}");
        }

        run.KernelUse.Add(updates, failure is not null);
        run.Totals.LifeEnded(failure is not null);
    }

    public override string ToString() =>
        $"{_name}, {_program?.Command}: round {_round}, {_sent} bytes sent, {_peer?.Checked.Value} of them arrived, {_checked.Value} of {_peerSent} received, {updates.Sent} KeyUpdates sent, {updates.Received} received";

    // The programs for servers end with our close_notify, and answer it; those for clients say it at the end of their input.
    private static async Task EndAsync(KTlsStream stream, PeerProcess peer, PeerProgram program, Task receiving)
    {
        if (program.IsServer)
        {
            await stream.ShutdownAsync();
            await receiving;
        }
        else
        {
            peer.CloseInput();
            await receiving;
            await stream.ShutdownAsync();
        }
    }

    private async Task TalkAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        int port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        TlsCipherSuite suite = LifePlan.Suites[connection % LifePlan.Suites.Length];
        PeerProgram program = _program = PeerProgram.Of(run.Settings.Peer, isServer: _random.Next(2) == 0, port, suite, run.Folder);

        // Its keys change at our request only, which has to come with a change of ours.
        _inUserSpace = !run.KernelCanRekey && program.Update is null;
        _ourOrigin = Pattern.Line * _random.Next(Pattern.Length / Pattern.Line);
        _peersOrigin = program.Echoes ? _ourOrigin : Pattern.Line * _random.Next(Pattern.Length / Pattern.Line);
        await using KTlsStream stream = await ConnectAsync(listener, port, program, suite);
        updates.Begin(stream);
        using var failing = new CancellationTokenSource();
        Task checking = WatchAsync(_peer!.CheckOutputAsync(run.Pattern, _ourOrigin), failing);
        Task receiving = WatchAsync(ReceiveAsync(stream), failing);
        try
        {
            await _peer.Ready.WaitAsync(failing.Token);
            await RunRoundsAsync(stream, _peer, program, failing.Token);
            await EndAsync(stream, _peer, program, receiving);
        }
        catch (OperationCanceledException) when (failing.IsCancellationRequested)
        {
            // One of these two says why.
            await receiving;
            await checking;
            throw;
        }
    }

    private static async Task WatchAsync(Task task, CancellationTokenSource failing)
    {
        try
        {
            await task;
        }
        catch
        {
            await failing.CancelAsync();
            throw;
        }
    }

    private async Task<KTlsStream> ConnectAsync(Socket listener, int port, PeerProgram program, TlsCipherSuite suite)
    {
        KTlsOptions options = Run.Options(updates, _inUserSpace);
        if (program.IsServer)
        {
            // The port that was just free.
            listener.Close();
            _peer = PeerProcess.Start(program);
            return await KTlsStream.AuthenticateAsClientAsync(await ConnectAsync(port), run.Identity.Client, options);
        }

        listener.Listen(1);
        _peer = PeerProcess.Start(program);
        using var patience = new CancellationTokenSource(run.Settings.Patience);
        return await KTlsStream.AuthenticateAsServerAsync(await listener.AcceptAsync(patience.Token), run.Identity.Server(suite), options);
    }

    private async Task<Socket> ConnectAsync(int port)
    {
        for (long end = Environment.TickCount64 + (long)run.Settings.Patience.TotalMilliseconds; ;)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, port);
                return socket;
            }
            catch (SocketException) when (Environment.TickCount64 < end)
            {
                socket.Dispose();
                await Task.Delay(50);
            }
        }
    }

    private async Task RunRoundsAsync(KTlsStream stream, PeerProcess peer, PeerProgram program, CancellationToken failing)
    {
        long wanted = CanUpdate ? (share + 1) / 2 : share;
        while (!run.IsStopping && ((CanUpdate && updates.Sent < wanted) || updates.Received < wanted))
        {
            _round++;
            long updatesBefore = updates.Sent;
            await Task.WhenAll(
                SendAsync(stream, program, mayUpdate: true, mayRequest: program.Update is null || _random.Next(4) == 0),
                program.Echoes ? Task.CompletedTask : HavePeerSendAsync(peer, program, failing));
            await AllHasArrivedAsync(peer, program, failing);
            if (program.Update is not null)
            {
                long received = updates.Received;
                string command = _random.Next(2) == 0 ? program.Update : program.UpdateAndRequest!;
                await Task.WhenAll(
                    SendAsync(stream, program, mayUpdate: false, mayRequest: false),
                    peer.SayAsync(Encoding.ASCII.GetBytes(command), failing));

                // Nothing else makes it change its keys now. And before this there may be no more input, or it would pass for a part of the command.
                await updates.WaitForReceivedAsync(received + 1, failing);
                await AllHasArrivedAsync(peer, program, failing);
            }

            await Task.Delay(program.Rest * (updates.Sent - updatesBefore), CancellationToken.None);
        }
    }

    private async Task AllHasArrivedAsync(PeerProcess peer, PeerProgram program, CancellationToken failing)
    {
        await _checked.WaitForAsync(program.Echoes ? _sent : _peerSent, failing);
        if (!program.Echoes)
        {
            await peer.Checked.WaitForAsync(_sent, failing);
        }
    }

    private async Task HavePeerSendAsync(PeerProcess peer, PeerProgram program, CancellationToken failing)
    {
        int size = Pattern.Line * _random.Next(1, program.MaxLines + 1);
        long position = _peersOrigin + _peerSent;
        _peerSent += size;
        await peer.SayAsync(run.Pattern.At(position, size), failing);
    }

    private async Task SendAsync(KTlsStream stream, PeerProgram program, bool mayUpdate, bool mayRequest)
    {
        int size = Pattern.Line * _random.Next(1, program.MaxLines + 1);
        bool asFile = _random.Next(2) == 0;
        bool updateFirst = _random.Next(2) == 0;
        mayUpdate &= CanUpdate;
        if (mayUpdate && updateFirst)
        {
            await stream.UpdateKeysAsync(mayRequest);
        }

        long position = _ourOrigin + _sent;
        _sent += size;
        Task sending = asFile
            ? stream.SendFileAsync(run.Pattern.File, Pattern.OffsetOf(position), size).AsTask()
            : stream.WriteAsync(run.Pattern.At(position, size)).AsTask();
        if (mayUpdate && !updateFirst)
        {
            await stream.UpdateKeysAsync(mayRequest);
        }

        await sending;
        run.Totals.Sent(size, asFile);
    }

    private async Task ReceiveAsync(KTlsStream stream)
    {
        byte[] buffer = new byte[65_536];
        for (int read; (read = await stream.ReadAsync(buffer)) != 0;)
        {
            long position = _peersOrigin + _checked.Value;
            int matching = run.Pattern.Matching(position, buffer.AsSpan(0, read));
            run.Totals.Checked(matching);
            _checked.Add(matching);
            if (matching != read)
            {
                throw new InvalidDataException($"after {_checked.Value} bytes: {run.Pattern.Explain(position + matching, buffer.AsSpan(matching, read - matching))}");
            }
        }
    }
}
