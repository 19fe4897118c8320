namespace KTls.Handshake;

/// <summary>A private key that stays where it is, in an HSM, another process or another machine, and signs there.</summary>
public interface ICertificateSigner
{
    /// <summary>Signs the content of a handshake. Called for many handshakes at once.</summary>
    /// <param name="scheme">The algorithm, one of those that the certificate's key is good for.</param>
    /// <param name="content">
    /// What to sign, before hashing; valid until the task is complete. A few hundred bytes at most, except for a client of TLS 1.2, who signs all messages of the
    /// handshake so far (RFC 5246 §7.4.8): some kilobytes, and more where the server sends many names of authorities.
    /// </param>
    /// <param name="cancellationToken">Ends with the handshake.</param>
    /// <returns>
    /// The signature as TLS carries it (RFC 8446 §4.2.3): for ECDSA in DER (RFC 3279), for RSASSA-PSS with a salt as long as
    /// the hash. Whatever exception the task ends with ends the handshake.
    /// </returns>
    ValueTask<byte[]> SignAsync(SignatureScheme scheme, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);
}
