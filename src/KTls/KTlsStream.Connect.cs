using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using KTls.Authentication;

namespace KTls;

/// <content>The connector, which owns the endpoint and so can try again.</content>
public sealed partial class KTlsStream
{
    /// <summary>
    /// Connects to a server and does the handshake as the client. With <see cref="KTlsOptions.RetryWithSslStream"/> a server that
    /// refuses what KTls offers is connected to once more.
    /// </summary>
    /// <param name="endPoint">The server: an <see cref="IPEndPoint"/> or a <see cref="DnsEndPoint"/>, whose addresses are tried in turn.</param>
    /// <param name="options">
    /// The options; they mean what they mean for <see cref="SslStream"/>, and <see cref="SslClientAuthenticationOptions.TargetHost"/> is the
    /// name that the certificate must have. Not changed, and not to be changed meanwhile.
    /// </param>
    /// <param name="kernelOptions">What KTls adds; null for the defaults. <see cref="KTlsOptions.HandshakeTimeout"/> is for each handshake, without the time to connect.</param>
    /// <param name="cancellationToken">Cancels the connecting and the handshake.</param>
    /// <returns>The authenticated stream, which owns its socket. The socket does not wait for more data (Nagle's algorithm is off).</returns>
    /// <exception cref="SocketException">No connection came about.</exception>
    /// <exception cref="AuthenticationException">The handshake failed, or the kernel is required and cannot serve.</exception>
    /// <exception cref="KernelTlsException">The kernel is required, and refused the keys after the handshake.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    /// <exception cref="TimeoutException">A handshake took longer than <see cref="KTlsOptions.HandshakeTimeout"/>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ArgumentException">Options exclude each other, or <see cref="KTlsOptions.LeaveSocketOpen"/> is set: nobody else has the socket.</exception>
    public static Task<KTlsStream> ConnectAsync(EndPoint endPoint, SslClientAuthenticationOptions options, KTlsOptions? kernelOptions = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        ArgumentNullException.ThrowIfNull(options);
        if (kernelOptions is { LeaveSocketOpen: true })
        {
            throw new ArgumentException("LeaveSocketOpen is set, and nobody but the stream has the socket.", nameof(kernelOptions));
        }

        return ConnectOrRetryAsync(endPoint, options, kernelOptions ?? DefaultOptions, cancellationToken);
    }

    private static async Task<KTlsStream> ConnectOrRetryAsync(EndPoint endPoint, SslClientAuthenticationOptions options, KTlsOptions kernelOptions, CancellationToken cancellationToken)
    {
        var offer = new OfferRefusal();
        EndPoint server = endPoint;
        Socket socket = await OpenAsync(endPoint, cancellationToken).ConfigureAwait(false);
        try
        {
            server = socket.RemoteEndPoint!;
            return await AuthenticateAsClientAsync(
                socket, options, (stream, socket, options, attempt) => ClientAuthentication.RunAsync(stream, socket, options, attempt, offer), kernelOptions, cancellationToken).ConfigureAwait(false);
        }
        catch (AuthenticationException) when (offer.PermitsRetry(kernelOptions))
        {
            socket.Dispose();
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        // Where the refusal came from, and not where the name may lead by now.
        socket = await OpenAsync(server, cancellationToken).ConfigureAwait(false);
        try
        {
            return await AuthenticateAsClientAsync(
                socket, options, (_, socket, options, attempt) => ClientAuthentication.RetryAsync(socket, options, attempt, offer), kernelOptions, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<Socket> OpenAsync(EndPoint endPoint, CancellationToken cancellationToken)
    {
        // The other one speaks both, and an IPv4 address that is written as one of IPv6 needs that: one that a name led to is.
        Socket socket = endPoint.AddressFamily == AddressFamily.InterNetwork
            ? new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.NoDelay = true;
            await socket.ConnectAsync(endPoint, cancellationToken).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
