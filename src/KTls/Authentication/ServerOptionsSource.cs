using System.Globalization;
using System.Net.Security;
using System.Security.Authentication;
using KTls.Fallback;
using KTls.Handshake;
using KTls.Options;

namespace KTls.Authentication;

/// <summary>A server's options: given, or else selected for each client, by its ClientHello.</summary>
internal readonly record struct ServerOptionsSource(
    SslServerAuthenticationOptions? Given, Func<SslClientHelloInfo, CancellationToken, ValueTask<SslServerAuthenticationOptions>>? Select)
{
    /// <summary>What only SslStream can honour, as far as the options are known before the ClientHello.</summary>
    /// <exception cref="ArgumentException">Options exclude each other.</exception>
    /// <exception cref="InvalidOperationException">Options exclude each other.</exception>
    /// <exception cref="NotSupportedException">The options name no server certificate.</exception>
    public Obstacle? KnownObstacle(ServerCredentials? credentials) => Given is null ? null : Check(Given, credentials);

    /// <summary>The options for a client, and what only SslStream can honour of them.</summary>
    public async ValueTask<(SslServerAuthenticationOptions Options, Obstacle? Obstacle)> ForAsync(ClientHello hello, ServerCredentials? credentials, HandshakeTime time)
    {
        if (Given is not null)
        {
            // The decision to come here was made with its obstacles, and there was none.
            return (Given, null);
        }

        SslServerAuthenticationOptions selected = await SelectAsync(new SslClientHelloInfo(ServerOptions.UnicodeName(hello), hello.OfferedProtocols), time.TokenToKeep).ConfigureAwait(false);
        return (selected, Check(selected, credentials));
    }

    /// <summary>SslStream's handshake with a client whose ClientHello nobody has read.</summary>
    public Task AuthenticateAsync(SslStream stream, ServerCredentials? credentials, string reason, CancellationToken cancellationToken)
    {
        if (Given is not null && credentials is null)
        {
            return stream.AuthenticateAsServerAsync(Given, cancellationToken);
        }

        ServerOptionsSource source = this;
        return stream.AuthenticateAsServerAsync((_, client, _, token) => source.ForSslStreamAsync(client, credentials, reason, token), state: null, cancellationToken);
    }

    private static Obstacle? Check(SslServerAuthenticationOptions options, ServerCredentials? credentials)
    {
        ServerOptions.RequireOneSourceOfCertificates(options, credentials);
        return Obstacle.OfOptions(ServerOptions.WhyOnlySslStream(options));
    }

    private async ValueTask<SslServerAuthenticationOptions> ForSslStreamAsync(SslClientHelloInfo client, ServerCredentials? credentials, string reason, CancellationToken cancellationToken)
    {
        SslServerAuthenticationOptions options = Given ?? await SelectAsync(client, cancellationToken).ConfigureAwait(false);
        ServerOptions.RequireOneSourceOfCertificates(options, credentials);
        return credentials is null ? options : FallbackCredentials.WithContext(options, FallbackCredentials.Choose(credentials, AsSent(client.ServerName), options, hello: null, reason));
    }

    private async ValueTask<SslServerAuthenticationOptions> SelectAsync(SslClientHelloInfo client, CancellationToken cancellationToken) =>
        await Select!(client, cancellationToken).ConfigureAwait(false) ?? throw new AuthenticationException("The selection for the client returned no options.");

    // SslStream tells an internationalized name in Unicode; certificates have it as it is sent (RFC 5890 §2.3.2.1).
    private static string AsSent(string name)
    {
        try
        {
            return new IdnMapping { AllowUnassigned = true }.GetAscii(name);
        }
        catch (ArgumentException)
        {
            // Empty, or none of a host.
            return name;
        }
    }
}
