using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KTls.Authentication;
using KTls.Diagnostics;
using KTls.Handshake;
using KTls.Kernel;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Win32.SafeHandles;

namespace KTls;

/// <summary>
/// A TLS stream on a TCP socket: the handshake is managed code, and from then on the Linux kernel seals and opens the records,
/// as far as kernel and peer allow. <see cref="Sending"/> and <see cref="Receiving"/> tell who does it.
/// </summary>
/// <remarks>One read and one write (or <see cref="SendFile"/>, or <see cref="SendFileAsync"/>) may be under way at the same time, as with <see cref="SslStream"/>.</remarks>
public sealed partial class KTlsStream : Stream
{
    private static readonly KTlsOptions DefaultOptions = new();

    private static readonly Func<KTlsStream, Socket, SslClientAuthenticationOptions, HandshakeAttempt, Task<Connection>> RunAsClient =
        static (stream, socket, options, attempt) => ClientAuthentication.RunAsync(stream, socket, options, attempt, offer: null);

    private Connection? _connection;
    private readonly bool _isServer;
    private bool _isDisposed;

    private KTlsStream(bool isServer) => _isServer = isServer;

    /// <summary>The protocol version.</summary>
    public SslProtocols SslProtocol => Facts.Protocol;

    /// <summary>The cipher suite.</summary>
    public TlsCipherSuite NegotiatedCipherSuite => Facts.CipherSuite;

    /// <summary>The group of the key agreement; null when <see cref="SslStream"/> did the handshake, which does not tell, or when a TLS 1.2 session was resumed.</summary>
    public NamedGroup? NegotiatedGroup => Facts.Group;

    /// <summary>The application protocol (ALPN, RFC 7301); the default value when none was agreed on.</summary>
    public SslApplicationProtocol NegotiatedApplicationProtocol => Facts.ApplicationProtocol;

    /// <summary>Whether an earlier session was resumed; null when <see cref="SslStream"/> did the handshake, which does not tell.</summary>
    public bool? IsResumed => Facts.IsResumed;

    /// <summary>The peer's certificate; null when it showed none. Outlives the stream.</summary>
    public X509Certificate2? RemoteCertificate => Facts.RemoteCertificate;

    /// <summary>This end's certificate, with its key unless that is kept elsewhere; null on a client that showed none. Belongs to whoever gave it.</summary>
    public X509Certificate2? LocalCertificate => Facts.LocalCertificate;

    /// <summary>
    /// What binds an authentication inside the connection to it: the channel binding of the kind
    /// <see cref="System.Security.Authentication.ExtendedProtection.ChannelBindingKind.Endpoint"/> (tls-server-end-point, RFC 5929 §4). For other kinds it
    /// has none, unless <see cref="SslStream"/> serves the connection.
    /// </summary>
    public TransportContext TransportContext => Facts.TransportContext;

    /// <summary>
    /// The OCSP response (RFC 6960, DER) that the server stapled for its certificate, when <see cref="KTlsOptions.RequestOcspResponse"/>
    /// asked for one; not judged. Empty when there is none, and when <see cref="SslStream"/> did the handshake, which keeps it to itself.
    /// </summary>
    public ReadOnlyMemory<byte> RemoteOcspResponse => Facts.RemoteOcspResponse;

    /// <summary>
    /// On a server the name that the client sent (SNI), on a client <see cref="SslClientAuthenticationOptions.TargetHost"/>; or an empty string.
    /// The callbacks of the handshake, which get the stream as their sender, may ask for it already.
    /// </summary>
    public string TargetHostName => _connection?.Facts.TargetHostName ?? HostOfHandshake;

    /// <summary>Who seals the records that are sent, and why. Still told after Dispose, as all that is known of the connection.</summary>
    public DataPlaneStatus Sending => Authenticated.Sending;

    /// <summary>Who opens the records that are received, and why. Can turn to the kernel after the first reads.</summary>
    public DataPlaneStatus Receiving => Authenticated.Receiving;

    /// <summary>
    /// Whether the peer has ended the stream with close_notify: after a read of 0 bytes, false means that TCP ended without
    /// it and that data may be missing (RFC 8446 §6.1). <see cref="KTlsOptions.RequireCloseNotify"/> makes an error of that.
    /// </summary>
    public bool CloseNotifyReceived => Authenticated.CloseNotifyReceived;

    /// <inheritdoc/>
    public override bool CanRead => !_isDisposed;

    /// <inheritdoc/>
    public override bool CanWrite => !_isDisposed;

    /// <summary>Always false.</summary>
    public override bool CanSeek => false;

    /// <summary>Not supported.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override long Length => throw new NotSupportedException();

    /// <summary>Not supported.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>What <see cref="TargetHostName"/> is until there is a connection.</summary>
    internal string HostOfHandshake { get; set; } = string.Empty;

    private ConnectionFacts Facts => Authenticated.Facts;

    private Connection Authenticated => _connection ?? throw NotAuthenticated();

    private Connection Current
    {
        get
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return Authenticated;
        }
    }

    /// <summary>Does the handshake as the server.</summary>
    /// <param name="socket">
    /// A connected TCP socket. From a successful authentication on it belongs to the stream, unless
    /// <see cref="KTlsOptions.LeaveSocketOpen"/> is set; a failed one leaves it to the caller, who closes it. Where a logger, or a listener
    /// of metrics or activities, throws after the authentication, that comes out, and the stream is disposed of, its socket included.
    /// </param>
    /// <param name="options">The options; they mean what they mean for <see cref="SslStream"/>. Not changed, and not to be changed meanwhile.</param>
    /// <param name="kernelOptions">What KTls adds; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the handshake.</param>
    /// <returns>The authenticated stream.</returns>
    /// <exception cref="AuthenticationException">The handshake failed, or the kernel is required and cannot serve.</exception>
    /// <exception cref="KernelTlsException">The kernel is required, and refused the keys after the handshake.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    /// <exception cref="TimeoutException">The handshake took longer than <see cref="KTlsOptions.HandshakeTimeout"/>.</exception>
    /// <exception cref="ObjectDisposedException">The socket was closed meanwhile, which is found out within two seconds.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ArgumentException">Options exclude each other.</exception>
    /// <exception cref="InvalidOperationException">Options exclude each other.</exception>
    /// <exception cref="NotSupportedException">The options name no server certificate.</exception>
    public static Task<KTlsStream> AuthenticateAsServerAsync(Socket socket, SslServerAuthenticationOptions options, KTlsOptions? kernelOptions = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(socket);
        ArgumentNullException.ThrowIfNull(options);
        return AuthenticateAsServerAsync(socket, new ServerOptionsSource(options, Select: null), kernelOptions, cancellationToken);
    }

    /// <summary>Does the handshake as the server, with options that are selected for each client by what its ClientHello says.</summary>
    /// <param name="socket">As with options that are given.</param>
    /// <param name="selectOptions">
    /// Returns the options for a client, which are not to be changed afterwards. Where SslStream reads the ClientHello,
    /// <see cref="SslClientHelloInfo.SslProtocols"/> does not tell of TLS 1.3. The token is cancelled at <see cref="KTlsOptions.HandshakeTimeout"/>, too. What it throws
    /// comes out here, and the client gets the alert internal_error. Called once for a connection.
    /// </param>
    /// <param name="kernelOptions">What KTls adds; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the handshake.</param>
    /// <inheritdoc cref="AuthenticateAsServerAsync(Socket, SslServerAuthenticationOptions, KTlsOptions?, CancellationToken)"/>
    public static Task<KTlsStream> AuthenticateAsServerAsync(
        Socket socket, Func<SslClientHelloInfo, CancellationToken, ValueTask<SslServerAuthenticationOptions>> selectOptions, KTlsOptions? kernelOptions = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(socket);
        ArgumentNullException.ThrowIfNull(selectOptions);
        return AuthenticateAsServerAsync(socket, new ServerOptionsSource(Given: null, selectOptions), kernelOptions, cancellationToken);
    }

    /// <summary>Does the handshake as the client.</summary>
    /// <inheritdoc cref="AuthenticateAsServerAsync(Socket, SslServerAuthenticationOptions, KTlsOptions?, CancellationToken)"/>
    public static Task<KTlsStream> AuthenticateAsClientAsync(Socket socket, SslClientAuthenticationOptions options, KTlsOptions? kernelOptions = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(socket);
        ArgumentNullException.ThrowIfNull(options);
        return AuthenticateAsClientAsync(socket, options, RunAsClient, kernelOptions, cancellationToken);
    }

    /// <summary>
    /// Reads what is there, at least one byte. 0: the peer has ended the stream, see <see cref="CloseNotifyReceived"/>; or
    /// <paramref name="buffer"/> is empty, then this waits until there is something to read.
    /// </summary>
    /// <param name="buffer">Where to put the data. Bytes beyond the returned count may be overwritten, too.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is lost.</param>
    /// <returns>Bytes read.</returns>
    /// <exception cref="IOException">The connection broke, or the peer violated the protocol. Every later read fails the same way.</exception>
    /// <exception cref="EndOfStreamException">TCP ended without close_notify, and <see cref="KTlsOptions.RequireCloseNotify"/> is set.</exception>
    /// <exception cref="KeyUpdateUnavailableException">The peer has changed its keys, and the kernel cannot; see <see cref="KTlsOptions.ReceiveWithoutRekey"/>.</exception>
    /// <exception cref="NotSupportedException">Another read is under way.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Connection connection = Current;
        return cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled<int>(cancellationToken) : connection.ReadAsync(buffer, cancellationToken);
    }

    /// <inheritdoc cref="ReadAsync(Memory{byte}, CancellationToken)"/>
    /// <param name="buffer">Where to put the data.</param>
    /// <param name="offset">First index in <paramref name="buffer"/>, from 0.</param>
    /// <param name="count">At most so many bytes, from 0, within <paramref name="buffer"/>.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is lost.</param>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <summary>Writes all of the data; it is on its way when this completes.</summary>
    /// <param name="buffer">The data.</param>
    /// <param name="cancellationToken">Ends the wait for room; a part of the data may be out then.</param>
    /// <returns>Completes when the kernel has taken all.</returns>
    /// <exception cref="IOException">The connection broke.</exception>
    /// <exception cref="KeyUpdateUnavailableException">The key for sending may seal no more and cannot change; see <see cref="KTlsOptions.MaxBytesPerKey"/>.</exception>
    /// <exception cref="InvalidOperationException">The stream was shut down.</exception>
    /// <exception cref="NotSupportedException">Another write is under way.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Connection connection = Current;
        return cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled(cancellationToken) : connection.WriteAsync(buffer, cancellationToken);
    }

    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>
    /// <param name="buffer">The data.</param>
    /// <param name="offset">First index in <paramref name="buffer"/>, from 0.</param>
    /// <param name="count">So many bytes, from 0, within <paramref name="buffer"/>.</param>
    /// <param name="cancellationToken">Ends the wait for room; a part of the data may be out then.</param>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <summary>
    /// Sends a part of a file: by sendfile(2), without a copy to user space, when the kernel seals; else by reading and writing.
    /// </summary>
    /// <param name="file">A regular file that is open for reading. Its position does not matter and does not move.</param>
    /// <param name="offset">First byte, from 0.</param>
    /// <param name="count">So many bytes, from 0.</param>
    /// <param name="cancellationToken">Ends the wait for room; a part of the data may be out then.</param>
    /// <returns>Bytes sent: fewer than <paramref name="count"/> only when the file ended.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="offset"/> or <paramref name="count"/> is negative.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    /// <exception cref="FileReadException">The file cannot be read.</exception>
    /// <exception cref="InvalidOperationException">The stream was shut down.</exception>
    /// <exception cref="KeyUpdateUnavailableException">The key for sending may seal no more and cannot change; see <see cref="KTlsOptions.MaxBytesPerKey"/>.</exception>
    /// <exception cref="NotSupportedException">Another write is under way, or the file has no length.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ValueTask<long> SendFileAsync(SafeFileHandle file, long offset, long count, CancellationToken cancellationToken = default)
    {
        CheckFileArguments(file, offset, count);
        Connection connection = Current;
        return cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled<long>(cancellationToken) : connection.SendFileAsync(file, offset, count, cancellationToken);
    }

    /// <summary>
    /// Changes the keys for sending (KeyUpdate, RFC 8446 §4.6.3): after what a write or a file has sent so far, and before the rest. It
    /// happens by itself, too (<see cref="KTlsOptions.RekeyAfterRecords"/>), and when the peer asks for it.
    /// </summary>
    /// <param name="requestPeerUpdate">Whether the peer shall change its keys, too. It does before its next data.</param>
    /// <param name="cancellationToken">Ends the wait for a turn and for room.</param>
    /// <returns>Completes when the next record is sealed with the new keys.</returns>
    /// <exception cref="InvalidOperationException">The connection is TLS 1.2, whose keys never change, or was shut down.</exception>
    /// <exception cref="PlatformNotSupportedException">The kernel seals and cannot change keys; the connection goes on.</exception>
    /// <exception cref="NotSupportedException"><see cref="SslStream"/> serves the connection.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task UpdateKeysAsync(bool requestPeerUpdate = false, CancellationToken cancellationToken = default) => Current.UpdateKeysAsync(requestPeerUpdate, cancellationToken);

    /// <summary>Keying material for an application, the same on both ends of the connection (RFC 8446 §7.5, RFC 5705).</summary>
    /// <param name="label">Says for what, 1 to 249 ASCII characters, as registered with IANA or beginning with "EXPERIMENTAL".</param>
    /// <param name="context">What else it depends on, up to 65535 bytes; null: none, which TLS 1.2 tells from an empty one.</param>
    /// <param name="length">Bytes of the result, 0 to 8160.</param>
    /// <returns>The material, as secret as the connection's keys.</returns>
    /// <exception cref="ArgumentException">The label is not ASCII.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A length is out of bounds.</exception>
    /// <exception cref="NotSupportedException"><see cref="SslStream"/> did the handshake, which has no exporter.</exception>
    /// <exception cref="ObjectDisposedException">The stream was disposed of, before or meanwhile.</exception>
    public byte[] ExportKeyingMaterial(string label, byte[]? context, int length)
    {
        ArgumentNullException.ThrowIfNull(label);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, 8160);
        if (!Ascii.IsValid(label))
        {
            // Each would become a question mark, and two labels one (RFC 5705 §4).
            throw new ArgumentException("The label has a character that is not ASCII.", nameof(label));
        }

        return Current.ExportKeyingMaterial(label, context, length) ?? throw new NotSupportedException("SslStream did the handshake, which has no exporter.");
    }

    /// <summary>Ends our side of the stream with close_notify. Reading stays possible, and the TCP connection stays open.</summary>
    /// <param name="cancellationToken">Ends the wait for room.</param>
    /// <returns>Completes when the alert is on its way.</returns>
    /// <exception cref="IOException">The connection broke.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task ShutdownAsync(CancellationToken cancellationToken = default)
    {
        Connection connection = Current;
        return cancellationToken.IsCancellationRequested ? Task.FromCanceled(cancellationToken) : connection.ShutdownAsync(cancellationToken);
    }

    /// <summary>Does nothing: what is written is not held back.</summary>
    public override void Flush() => _ = Current;

    /// <summary>Does nothing: what is written is not held back.</summary>
    /// <param name="cancellationToken">Not used.</param>
    /// <returns>A completed task.</returns>
    public override Task FlushAsync(CancellationToken cancellationToken)
    {
        Flush();
        return Task.CompletedTask;
    }

    /// <summary>Not supported.</summary>
    /// <param name="offset">Not used.</param>
    /// <param name="origin">Not used.</param>
    /// <returns>Nothing.</returns>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <summary>Not supported.</summary>
    /// <param name="value">Not used.</param>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        if (!Interlocked.Exchange(ref _isDisposed, true))
        {
            if (_connection is not null)
            {
                Instruments.ConnectionEnds(_isServer);
                await _connection.DisposeAsync().ConfigureAwait(false);
            }
        }

        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !Interlocked.Exchange(ref _isDisposed, true))
        {
            if (_connection is not null)
            {
                Instruments.ConnectionEnds(_isServer);
                _connection.Dispose();
            }
        }

        base.Dispose(disposing);
    }

    private static Task<KTlsStream> AuthenticateAsServerAsync(Socket socket, ServerOptionsSource source, KTlsOptions? kernelOptions, CancellationToken cancellationToken)
    {
        return HandshakeObservation.IsWanted
            ? ObserveAsync(isServer: true, targetHost: null, socket, source, ServerAuthentication.RunAsync, kernelOptions, cancellationToken)
            : AuthenticateAsync(isServer: true, socket, source, ServerAuthentication.RunAsync, kernelOptions, cancellationToken);
    }

    private static Task<KTlsStream> AuthenticateAsClientAsync(
        Socket socket, SslClientAuthenticationOptions options, Func<KTlsStream, Socket, SslClientAuthenticationOptions, HandshakeAttempt, Task<Connection>> authenticate, KTlsOptions? kernelOptions, CancellationToken cancellationToken)
    {
        return HandshakeObservation.IsWanted
            ? ObserveAsync(isServer: false, options.TargetHost, socket, options, authenticate, kernelOptions, cancellationToken)
            : AuthenticateAsync(isServer: false, socket, options, authenticate, kernelOptions, cancellationToken);
    }

    private static void CheckFileArguments(SafeFileHandle file, long offset, long count)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
    }

    private static InvalidOperationException NotAuthenticated() => new("The handshake is not complete.");

    private static async Task<KTlsStream> ObserveAsync<TOptions>(
        bool isServer, string? targetHost, Socket socket, TOptions options, Func<KTlsStream, Socket, TOptions, HandshakeAttempt, Task<Connection>> authenticate, KTlsOptions? kernelOptions, CancellationToken cancellationToken)
    {
        HandshakeObservation observation = HandshakeObservation.Begin(isServer, targetHost);
        KTlsStream stream;
        try
        {
            stream = await AuthenticateAsync(isServer, socket, options, authenticate, kernelOptions, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            observation.Fails(e);
            throw;
        }

        try
        {
            observation.Succeeds(stream);
            return stream;
        }
        catch
        {
            // A listener's own failure. Nobody else has the stream, to dispose of it.
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static async Task<KTlsStream> AuthenticateAsync<TOptions>(
        bool isServer, Socket socket, TOptions options, Func<KTlsStream, Socket, TOptions, HandshakeAttempt, Task<Connection>> authenticate, KTlsOptions? kernelOptions, CancellationToken cancellationToken)
    {
        kernelOptions ??= DefaultOptions;
        ILogger logger = kernelOptions.LoggerFactory?.CreateLogger<KTlsStream>() ?? (ILogger)NullLogger.Instance;
        using var time = new HandshakeTime(kernelOptions.Deadlines, kernelOptions.HandshakeTimeout, cancellationToken);
        var stream = new KTlsStream(isServer);
        try
        {
            stream._connection = await authenticate(stream, socket, options, new HandshakeAttempt(kernelOptions, logger, time)).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (time.IsUp && !cancellationToken.IsCancellationRequested)
        {
            Log.HandshakeFailed(logger, "time is up");
            throw new TimeoutException($"The handshake took longer than {kernelOptions.HandshakeTimeout}.", e);
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested && e.CancellationToken != cancellationToken)
        {
            // The token of our waits is linked to the caller's, who knows only his own.
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
        catch (TlsAlertException e)
        {
            Log.HandshakeFailed(logger, e.Message);
            throw new AuthenticationException(e.Message, e);
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            Log.HandshakeFailed(logger, e.Message);
            throw;
        }

        Instruments.ConnectionBegins(isServer);
        try
        {
            Log.HandshakeComplete(logger, stream.SslProtocol, stream.NegotiatedCipherSuite, stream.Sending, stream.Receiving);
            return stream;
        }
        catch
        {
            // The logger's own failure, as a listener's.
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
