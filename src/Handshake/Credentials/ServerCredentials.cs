using System.Diagnostics.CodeAnalysis;

namespace KTls.Handshake;

/// <summary>The certificates of a server, of which each client gets one. For many handshakes at once, without a lock.</summary>
public sealed class ServerCredentials
{
    private ServerCredentialSet _current;

    /// <summary>Makes the set.</summary>
    /// <param name="credentials">
    /// One or more. The first is also for clients that name no server, or one that no credential has; with it, all that share
    /// a name with it.
    /// </param>
    /// <exception cref="ArgumentException">There is none.</exception>
    public ServerCredentials(params IEnumerable<CertificateCredential> credentials) => _current = new ServerCredentialSet(credentials);

    /// <summary>
    /// Whether a client that names a server which no credential has is refused (unrecognized_name, RFC 6066 §3).
    /// Default: false, it gets the first credential. A client that names none gets that in either case.
    /// </summary>
    public bool RefusesUnknownNames { get; init; }

    /// <summary>The credentials that are in use now.</summary>
    public IReadOnlyList<CertificateCredential> Current => Volatile.Read(ref _current).All;

    /// <summary>Puts others in the place of all credentials at once. Handshakes under way go on with theirs.</summary>
    /// <param name="credentials">One or more.</param>
    /// <exception cref="ArgumentException">There is none; the ones before stay in use.</exception>
    public void Replace(params IEnumerable<CertificateCredential> credentials) => Volatile.Write(ref _current, new ServerCredentialSet(credentials));

    /// <summary>
    /// Chooses by name, an exact one before a wildcard, and among those the first that fits: ECDSA and Ed25519 before RSA, then
    /// in their order.
    /// </summary>
    /// <param name="serverName">The name that the client sent (SNI), or an empty string.</param>
    /// <param name="fits">Whether the client can verify a credential.</param>
    /// <param name="credential">The credential.</param>
    /// <param name="refusal">When false is returned: what to tell the client, unrecognized_name or handshake_failure.</param>
    /// <returns>Whether there is a credential for the client.</returns>
    public bool TrySelect(string serverName, Func<CertificateCredential, bool> fits, [NotNullWhen(true)] out CertificateCredential? credential, out AlertDescription refusal)
    {
        ArgumentNullException.ThrowIfNull(serverName);
        ArgumentNullException.ThrowIfNull(fits);
        ServerCredentialSet set = Volatile.Read(ref _current);
        bool isKnown = set.TrySelectByName(serverName, fits, out credential);
        if (!isKnown && serverName.Length != 0 && RefusesUnknownNames)
        {
            refusal = AlertDescription.UnrecognizedName;
            return false;
        }

        refusal = AlertDescription.HandshakeFailure;
        credential ??= isKnown ? null : set.SelectDefault(fits);
        return credential is not null;
    }
}
