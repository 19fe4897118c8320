using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using KTls.DataPlane;
using KTls.Fallback;
using KTls.Handshake;
using KTls.Kernel;
using KTls.Options;

namespace KTls.Authentication;

/// <summary>A client's way from a connected socket to a connection.</summary>
internal static class ClientAuthentication
{
    public static async Task<Connection> RunAsync(KTlsStream sender, Socket socket, SslClientAuthenticationOptions options, HandshakeAttempt attempt)
    {
        if ((attempt.Options.WhyOnlySslStream ?? ClientOptions.WhyOnlySslStream(options)) is { } reason)
        {
            return await FallBackAsync(socket, options, reason, attempt).ConfigureAwait(false);
        }

        ClientHandshakeOptions handshakeOptions = ClientOptions.Translate(options);
        KernelSocket? transport = Transport.TryOpen(socket, attempt.Options.DataPlane, out reason);
        if (transport is null)
        {
            return await FallBackAsync(socket, options, reason, attempt).ConfigureAwait(false);
        }

        bool isEstablished = false;
        using var handshake = new ClientHandshake(handshakeOptions);
        try
        {
            using var driver = new HandshakeDriver(transport);
            await driver.RunAsync(handshake, attempt.Token).ConfigureAwait(false);
            await JudgeAsync(sender, handshake, driver, options, attempt.Token).ConfigureAwait(false);
            await driver.RunAsync(handshake, attempt.Token).ConfigureAwait(false);
            Connection connection = Establishment.Establish(
                handshake, driver, transport, socket, (handshake.PeerCertificate, options.TargetHost ?? string.Empty), attempt);
            isEstablished = true;
            return connection;
        }
        finally
        {
            if (!isEstablished)
            {
                handshake.PeerCertificate?.Dispose();
                Transport.Release(transport, socket);
            }
        }
    }

    // The verdict on the server's certificate, as SslStream reaches it: chain, name, and the callback's last word.
    private static async ValueTask JudgeAsync(KTlsStream sender, ClientHandshake handshake, HandshakeDriver driver, SslClientAuthenticationOptions options, CancellationToken cancellationToken)
    {
        X509Certificate2 certificate = handshake.PeerCertificate!;
        var others = new List<X509Certificate2>();
        using var chain = new X509Chain();
        AlertDescription alert = AlertDescription.InternalError;
        try
        {
            // A certificate beside the server's own that cannot be read does not help to build a chain.
            others.AddRange(handshake.OtherCertificates.Select(TryLoad).OfType<X509Certificate2>());
            chain.ChainPolicy = PeerCertificateValidation.CreatePolicy(options.CertificateChainPolicy, options.CertificateRevocationCheckMode, others);
            SslPolicyErrors errors = PeerCertificateValidation.Validate(chain, certificate, ClientOptions.NormalizeHost(options.TargetHost));
            bool isTrusted = options.RemoteCertificateValidationCallback?.Invoke(sender, certificate, chain, errors) ?? errors == SslPolicyErrors.None;
            if (isTrusted)
            {
                handshake.AcceptPeerCertificate();
                return;
            }

            alert = (errors & SslPolicyErrors.RemoteCertificateChainErrors) != 0 ? PeerCertificateValidation.AlertFor(chain) : AlertDescription.BadCertificate;
            throw new AuthenticationException(Describe(errors, chain));
        }
        catch (TlsAlertException)
        {
            await driver.SendAlertAsync(handshake, cancellationToken).ConfigureAwait(false);
            throw;
        }
        catch
        {
            await driver.FailAsync(handshake, alert, cancellationToken).ConfigureAwait(false);
            throw;
        }
        finally
        {
            others.ForEach(other => other.Dispose());
            foreach (X509ChainElement element in chain.ChainElements)
            {
                element.Certificate.Dispose();
            }
        }
    }

    private static X509Certificate2? TryLoad(byte[] der)
    {
        try
        {
            return X509CertificateLoader.LoadCertificate(der);
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            return null;
        }
    }

    private static string Describe(SslPolicyErrors errors, X509Chain chain)
    {
        if (errors == SslPolicyErrors.None)
        {
            return "RemoteCertificateValidationCallback refused the server's certificate.";
        }

        string details = string.Join(", ", chain.ChainStatus.Select(status => status.Status));
        return $"The server's certificate is not trusted: {errors}{(details.Length == 0 ? string.Empty : $" ({details})")}.";
    }

    private static Task<Connection> FallBackAsync(Socket socket, SslClientAuthenticationOptions options, string reason, HandshakeAttempt attempt)
    {
        Transport.ThrowIfRequired(attempt.Options.DataPlane, reason);
        Log.FallsBack(attempt.Logger, reason);
        return SslStreamConnection.AuthenticateAsync(
            socket, replay: default, stream => stream.AuthenticateAsClientAsync(options, attempt.Token), reason, attempt.Options.LeaveSocketOpen);
    }
}
