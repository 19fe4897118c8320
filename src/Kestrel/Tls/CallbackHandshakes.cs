using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace KTls.Kestrel.Tls;

/// <summary>What an endpoint's <see cref="TlsHandshakeCallbackOptions"/> mean for a handshake: the options are chosen by the ClientHello.</summary>
internal sealed class CallbackHandshakes(TlsHandshakeCallbackOptions options, HttpProtocols protocols) : EndpointHandshakes
{
    /// <inheritdoc/>
    public override string? WhyOnlyHttps => null;

    /// <inheritdoc/>
    public override Task<KTlsStream> RunAsync(ConnectionContext connection, Socket socket, KTlsOptions kernelOptions) =>
        KTlsStream.AuthenticateAsServerAsync(socket, (hello, token) => SelectAsync(connection, hello, token), kernelOptions, connection.ConnectionClosed);

    private async ValueTask<SslServerAuthenticationOptions> SelectAsync(ConnectionContext connection, SslClientHelloInfo hello, CancellationToken cancellationToken)
    {
        var context = new TlsHandshakeCallbackContext();
        SetConnection(context, connection);
        SetClientHelloInfo(context, hello);
        SetState(context, options.OnConnectionState);
        SetCancellationToken(context, cancellationToken);

        // There is none; a callback that looks at it finds one before its handshake, as with stock HTTPS.
        using var nobody = new SslStream(new MemoryStream());
        SetSslStream(context, nobody);
        SslServerAuthenticationOptions selected = await options.OnConnection(context).ConfigureAwait(false);
        if (context.AllowDelayedClientCertificateNegotation)
        {
            throw new NotSupportedException("AllowDelayedClientCertificateNegotation is set, which SslStream alone can do: leave it out, or call UseHttps for this endpoint.");
        }

        // As Kestrel does it.
        if (selected is { ApplicationProtocols: null })
        {
            selected.ApplicationProtocols = ApplicationProtocols(protocols);
        }

        return selected;
    }

    // The class is public, and only Kestrel can fill it.
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_Connection")]
    private static extern void SetConnection(TlsHandshakeCallbackContext context, ConnectionContext value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_ClientHelloInfo")]
    private static extern void SetClientHelloInfo(TlsHandshakeCallbackContext context, SslClientHelloInfo value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_State")]
    private static extern void SetState(TlsHandshakeCallbackContext context, object? value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_CancellationToken")]
    private static extern void SetCancellationToken(TlsHandshakeCallbackContext context, CancellationToken value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_SslStream")]
    private static extern void SetSslStream(TlsHandshakeCallbackContext context, SslStream value);
}
