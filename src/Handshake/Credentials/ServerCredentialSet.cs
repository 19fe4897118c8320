using System.Collections.Frozen;

namespace KTls.Handshake;

/// <summary>Credentials by name, never changed: what <see cref="ServerCredentials"/> swaps.</summary>
internal sealed class ServerCredentialSet
{
    private readonly CertificateCredential[] _default;
    private readonly FrozenDictionary<string, CertificateCredential[]> _exact;

    // By what stands behind "*.".
    private readonly FrozenDictionary<string, CertificateCredential[]> _wildcards;

    public ServerCredentialSet(IEnumerable<CertificateCredential> credentials)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        All = [.. credentials];
        if (All.Length == 0)
        {
            throw new ArgumentException("A server needs at least one credential.", nameof(credentials));
        }

        var names = All.Select(credential => (Credential: credential, Names: Normalize(credential.ServerNames))).ToArray();
        _default = ByPreference(names.Where(n => n.Credential == All[0] || n.Names.Overlaps(names[0].Names)).Select(n => n.Credential));
        var entries = names.SelectMany(n => n.Names.Select(name => (n.Credential, Name: name))).ToArray();
        _exact = ToDictionary(entries.Where(e => !IsWildcard(e.Name)));
        _wildcards = ToDictionary(entries.Where(e => IsWildcard(e.Name)).Select(e => (e.Credential, e.Name[2..])));
    }

    public CertificateCredential[] All { get; }

    /// <summary>Looks among the credentials for a name.</summary>
    /// <returns>Whether there are any, fitting or not.</returns>
    public bool TrySelectByName(ReadOnlySpan<char> serverName, Func<CertificateCredential, bool> fits, out CertificateCredential? credential)
    {
        ReadOnlySpan<char> name = CertificateNames.Normalize(serverName);
        bool isKnown = _exact.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out CertificateCredential[]? exact);
        credential = exact is null ? null : Array.Find(exact, fits.Invoke);

        // A wildcard stands for exactly one label (RFC 9525 §6.3).
        int dot = name.IndexOf('.');
        if (credential is null && dot > 0 && _wildcards.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name[(dot + 1)..], out CertificateCredential[]? wildcards))
        {
            isKnown = true;
            credential = Array.Find(wildcards, fits.Invoke);
        }

        return isKnown;
    }

    public CertificateCredential? SelectDefault(Func<CertificateCredential, bool> fits) => Array.Find(_default, fits.Invoke);

    private static bool IsWildcard(string name) => name.StartsWith("*.", StringComparison.Ordinal);

    private static HashSet<string> Normalize(IEnumerable<string> names) =>
        names.Select(name => CertificateNames.Normalize(name).ToString()).ToHashSet(StringComparer.OrdinalIgnoreCase);

    private static FrozenDictionary<string, CertificateCredential[]> ToDictionary(IEnumerable<(CertificateCredential Credential, string Name)> entries) => entries
        .GroupBy(entry => entry.Name, entry => entry.Credential, StringComparer.OrdinalIgnoreCase)
        .ToFrozenDictionary(group => group.Key, ByPreference, StringComparer.OrdinalIgnoreCase);

    private static CertificateCredential[] ByPreference(IEnumerable<CertificateCredential> credentials) => [.. credentials.OrderBy(credential => credential.KeyKind)];
}
