using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using KTls.DataPlane;
using KTls.Fallback;
using KTls.Handshake;
using KTls.Kernel;
using KTls.Options;

namespace KTls.Authentication;

/// <summary>A client's way from a connected socket to a connection.</summary>
internal static class ClientAuthentication
{
    public static Task<Connection> RunAsync(KTlsStream sender, Socket socket, SslClientAuthenticationOptions options, HandshakeAttempt attempt, OfferRefusal? offer)
    {
        ClientOptions.RequireOneSourceOfCertificates(options, attempt.Options.ClientCredentials);
        Obstacle? whyNotKernel = Transport.KnownObstacle;
        Decision decision = attempt.Decide(Obstacle.OfOptions(ClientOptions.WhyOnlySslStream(options)), whyNotKernel);
        return decision.Choice >= Choice.SslStream
            ? FallBackAsync(socket, options, decision, attempt)
            : ConnectAsync(sender, socket, options, decision, whyNotKernel, attempt, offer);
    }

    private static async Task<Connection> ConnectAsync(
        KTlsStream sender, Socket socket, SslClientAuthenticationOptions options, Decision decision, Obstacle? whyNotKernel, HandshakeAttempt attempt, OfferRefusal? offer)
    {
        sender.HostOfHandshake = options.TargetHost ?? string.Empty;
        string host = ClientOptions.NormalizeHost(options.TargetHost);
        KernelSocket transport = Transport.Open(socket, attach: decision.Choice == Choice.Kernel, ref whyNotKernel);
        decision = attempt.Decide(handshake: null, whyNotKernel);
        if (decision.Choice >= Choice.SslStream)
        {
            transport.Dispose();
            return await FallBackAsync(socket, options, decision, attempt).ConfigureAwait(false);
        }

        // Only now, for a handshake makes its key shares at once, and a session is taken from its store for good.
        bool isEstablished = false;
        ClientHandshake? handshake = null;
        SessionKeeper? sessions = null;
        try
        {
            sessions = ClientOptions.SessionStore(options, attempt.Options) is { } store
                ? new SessionKeeper(store, ClientOptions.SessionKey(options, host, attempt.Options.ClientCredentials, socket.RemoteEndPoint), attempt.Logger)
                : null;
            using ClientSession? session = sessions?.Take();
            handshake = new ClientHandshake(ClientOptions.Translate(options, host, attempt.Options, session));
            using var driver = new HandshakeDriver(transport);
            await driver.RunAsync(handshake, attempt.Time).ConfigureAwait(false);
            var criteria = new PeerVerdict.Criteria(
                sender, host, IsRequired: true, options.CertificateChainPolicy,
                options.CertificateRevocationCheckMode, options.RemoteCertificateValidationCallback)
            {
                VerdictLifetime = sessions is null ? TimeSpan.Zero : attempt.Options.CertificateVerdictLifetime,
                Clock = attempt.Options.Clock,
            };
            KeptVerdict? verdict = await PeerVerdict.ReachAsync(handshake, driver, criteria, session?.UserToken as KeptVerdict, attempt.Token).ConfigureAwait(false);
            sessions?.Verdict = verdict;
            await driver.RunAsync(handshake, attempt.Time).ConfigureAwait(false);
            Connection connection = Establishment.Establish(handshake, driver, transport, socket, decision, sender.HostOfHandshake, sessions, attempt);
            isEstablished = true;
            return connection;
        }
        catch (Exception e) when (e is not OperationCanceledException || attempt.Time.IsUp)
        {
            // Not for what is wrong at this end.
            if (sessions is { HasTaken: true } && e is not (ObjectDisposedException or KernelTlsException))
            {
                sessions.Forget();
            }

            if (offer is not null && handshake is not null && e is TlsAlertException alert)
            {
                offer.Note(alert, handshake);
            }

            throw;
        }
        finally
        {
            if (!isEstablished)
            {
                handshake?.PeerCertificate?.Dispose();
                transport.Dispose();
            }

            handshake?.Dispose();
        }
    }

    /// <summary>SslStream on a new connection, after the server has refused our offer on another one.</summary>
    /// <exception cref="AuthenticationException">It fails, or comes to a version that our offer did not have.</exception>
    public static async Task<Connection> RetryAsync(Socket socket, SslClientAuthenticationOptions options, HandshakeAttempt attempt, OfferRefusal offer)
    {
        Connection connection = await FallBackAsync(socket, options, offer.Decide(attempt.Options), attempt).ConfigureAwait(false);
        SslProtocols protocol = connection.Facts.Protocol;
        if ((protocol & SharedOptions.Protocols(options.EnabledSslProtocols)) == 0)
        {
            // SslProtocols.None leaves the versions to the system, which may have older ones: an injected alert must not lead there.
            await connection.DisposeAsync().ConfigureAwait(false);
            throw new AuthenticationException($"The server refused what KTls offers, and without it chose {protocol}, which was not offered.");
        }

        return connection;
    }

    private static Task<Connection> FallBackAsync(Socket socket, SslClientAuthenticationOptions options, Decision decision, HandshakeAttempt attempt)
    {
        attempt.ThrowIfRefused(decision);
        Obstacle obstacle = decision.Obstacle!;
        SslClientAuthenticationOptions forSslStream = FallbackClientCredentials.Apply(attempt.Options.ClientCredentials, options, obstacle.Text);
        attempt.TellOfFallback(obstacle);
        return SslStreamConnection.AuthenticateAsync(
            socket, replay: default, stream => stream.AuthenticateAsClientAsync(forSslStream, attempt.Time.TokenToKeep), obstacle, attempt.Options);
    }
}
