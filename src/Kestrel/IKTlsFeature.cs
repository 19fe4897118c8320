namespace KTls.Kestrel;

/// <summary>A connection's feature when KTls did the handshake. Where stock HTTPS serves the connection, it is missing.</summary>
public interface IKTlsFeature
{
    /// <summary>The stream: its data planes, their reasons and what was agreed on. Its data belong to the server: do not read or write it.</summary>
    KTlsStream Stream { get; }
}
