using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using KTls;
using Microsoft.Extensions.Logging;

namespace FileServer;

/// <summary>What all connections share.</summary>
internal sealed record ConnectionOptions(
    Responder Responder, SslServerAuthenticationOptions Tls, KTlsOptions KTls, TimeSpan IdleTimeout, ILogger Logger);

/// <summary>The life of one TCP connection: handshake, requests, a clean end, one line in the log.</summary>
internal sealed class Connection(Socket socket, ConnectionOptions options)
{
    // To wait for the client's own close, see LingerAsync.
    private static readonly TimeSpan LingerTimeout = TimeSpan.FromSeconds(2);

    private readonly long _start = Stopwatch.GetTimestamp();

    private double Milliseconds => Stopwatch.GetElapsedTime(_start).TotalMilliseconds;

    /// <summary>Runs until the connection has ended, and closes the socket.</summary>
    /// <param name="stopping">Running requests are to be the last.</param>
    /// <param name="aborting">The time for running requests is up.</param>
    public async Task RunAsync(CancellationToken stopping, CancellationToken aborting)
    {
        EndPoint? remote = null;
        KTlsStream? stream = null;
        try
        {
            remote = Readable(socket.RemoteEndPoint);

            // Responses leave when they are written; nothing is gained by waiting for more (Nagle's algorithm).
            socket.NoDelay = true;
            LimitUnsent(socket);
            stream = await KTlsStream.AuthenticateAsServerAsync(socket, options.Tls, options.KTls, stopping).ConfigureAwait(false);
        }
        catch (Exception e) when (e is AuthenticationException or IOException or TimeoutException or SocketException)
        {
            Log.HandshakeFailed(options.Logger, remote, Explain(e), Milliseconds);
            await LingerAsync(socket, aborting).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Log.HandshakeFailed(options.Logger, remote, "the server stops", Milliseconds);
        }
        finally
        {
            if (stream is null)
            {
                socket.Dispose();
            }
        }

        if (stream is not null)
        {
            // Closes the socket, perhaps later: when TCP has taken the last records.
            await using (stream.ConfigureAwait(false))
            {
                await ServeAsync(stream, remote, stopping, aborting).ConfigureAwait(false);
            }
        }
    }

    // The kernel takes more as soon as less than half of this is unsent. Without a limit it takes megabytes, and then nothing until a
    // third of them is gone: to the server a slow client would look like one that has stopped. What is on its way does not count.
    // Much less would wake the server so often that it costs a fast client speed.
    private static void LimitUnsent(Socket socket)
    {
        const int Tcp = 6; // IPPROTO_TCP
        const int NotSentLowAt = 25; // TCP_NOTSENT_LOWAT, tcp(7)
        const int Unsent = 1024 * 1024;
        if (OperatingSystem.IsLinux())
        {
            socket.SetRawSocketOption(Tcp, NotSentLowAt, BitConverter.GetBytes(Unsent));
        }
    }

    // What SslStream says itself is only that there is an inner exception.
    private static string Explain(Exception e) => e is AuthenticationException ? e.GetBaseException().Message : e.Message;

    private async Task ServeAsync(KTlsStream stream, EndPoint? remote, CancellationToken stopping, CancellationToken aborting)
    {
        using var http = new HttpConnection(stream, options.Responder, options.IdleTimeout, stopping, aborting);
        Ending ending;
        try
        {
            ending = await http.RunAsync().ConfigureAwait(false);
            if (ending.IsClean && !await TryCloseAsync(stream, aborting).ConfigureAwait(false))
            {
                ending = new Ending($"{ending.Reason}, and took no close_notify", IsClean: false);
            }
        }
        catch (Exception e)
        {
            // A mistake of ours ends this connection, not the server.
            Log.Unexpected(options.Logger, e, remote);
            ending = new Ending("an error in the server", IsClean: false);
        }

        Report(stream, remote, http, ending);
        if (!ending.IsClean)
        {
            Abort();
        }
    }

    // RST instead of FIN: no client can take what it got for the whole. And at once, before the stream is disposed of, which
    // would go on for a while to deliver what a client that takes nothing has not taken.
    private void Abort()
    {
        socket.LingerState = new LingerOption(enable: true, seconds: 0);
        socket.Dispose();
    }

    // At the end, because only then is everything known: receiving can go over to the kernel after the first reads.
    private void Report(KTlsStream stream, EndPoint? remote, HttpConnection http, Ending ending)
    {
        string group = stream.NegotiatedGroup?.ToString() ?? "group-unknown";
        string alpn = stream.NegotiatedApplicationProtocol.Protocol.IsEmpty ? "none" : stream.NegotiatedApplicationProtocol.ToString();
        Log.ConnectionEnded(
            options.Logger, remote, stream.SslProtocol, stream.NegotiatedCipherSuite, group, alpn, Printable(stream.TargetHostName),
            stream.Sending, stream.Receiving,
            http.Requests, http.BytesSent, Milliseconds, ending.Reason);
    }

    // The client chooses the name; control characters of its making must not reach a terminal.
    private static string Printable(string name) =>
        name.Length == 0 ? "none" : string.Concat(name.Take(255).Select(c => char.IsControl(c) ? '?' : c));

    // False: the client is gone, or will not take even this.
    private async Task<bool> TryCloseAsync(KTlsStream stream, CancellationToken aborting)
    {
        using var deadline = new Deadline(options.IdleTimeout, aborting);
        deadline.Restart();
        try
        {
            await stream.ShutdownAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            return false;
        }

        try
        {
            await LingerAsync(stream, aborting).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // It has everything, and does not say goodbye.
        }

        return true;
    }

    // A socket that is closed while bytes of the client are unread answers with RST, and an RST makes the client's kernel
    // throw away the end of our response. So what still comes is read, until the client has closed or time is up.
    private static async Task LingerAsync(KTlsStream stream, CancellationToken aborting)
    {
        using var deadline = new Deadline(LingerTimeout, aborting);
        deadline.Restart();
        byte[] unwanted = new byte[4096];
        while (await stream.ReadAsync(unwanted, deadline.Token).ConfigureAwait(false) != 0)
        {
        }
    }

    // The same after a handshake that failed: the alert is to arrive.
    private static async Task LingerAsync(Socket socket, CancellationToken aborting)
    {
        using var deadline = new Deadline(LingerTimeout, aborting);
        deadline.Restart();
        byte[] unwanted = new byte[4096];
        try
        {
            socket.Shutdown(SocketShutdown.Send);
            while (await socket.ReceiveAsync(unwanted, deadline.Token).ConfigureAwait(false) != 0)
            {
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
        }
    }

    // On a socket for both, IPv4 comes as ::ffff:192.0.2.1.
    private static EndPoint? Readable(EndPoint? remote) =>
        remote is IPEndPoint { Address.IsIPv4MappedToIPv6: true } ip ? new IPEndPoint(ip.Address.MapToIPv4(), ip.Port) : remote;
}
