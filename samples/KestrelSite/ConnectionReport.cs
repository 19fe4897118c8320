using KTls;
using KTls.Kestrel;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace KestrelSite;

/// <summary>Who serves a connection, for the page to show.</summary>
/// <param name="Http">The version of HTTP.</param>
/// <param name="Tls">The version of TLS; null: a plain connection.</param>
/// <param name="CipherSuite">The cipher suite.</param>
/// <param name="Group">The group of the key exchange, where KTls did the handshake.</param>
/// <param name="Sending">Who seals what the server sends: Kernel, UserSpace or SslStream, or stock where KTls has no part in it.</param>
/// <param name="SendingReason">Why.</param>
/// <param name="Receiving">Who opens what it receives.</param>
/// <param name="ReceivingReason">Why.</param>
internal sealed record ConnectionReport(
    string Http, string? Tls, string? CipherSuite, string? Group, string Sending, string SendingReason, string Receiving, string ReceivingReason)
{
    public static ConnectionReport Of(HttpContext http)
    {
        const string Stock = "stock";
        const string NotUs = "Kestrel itself serves this connection.";
        ITlsHandshakeFeature? handshake = http.Features.Get<ITlsHandshakeFeature>();
        KTlsStream? stream = http.Features.Get<IKTlsFeature>()?.Stream;
        return new ConnectionReport(
            http.Request.Protocol, handshake?.Protocol.ToString(), handshake?.NegotiatedCipherSuite?.ToString(), stream?.NegotiatedGroup?.ToString(),
            stream?.Sending.Kind.ToString() ?? Stock, stream?.Sending.Reason ?? NotUs,
            stream?.Receiving.Kind.ToString() ?? Stock, stream?.Receiving.Reason ?? NotUs);
    }
}
