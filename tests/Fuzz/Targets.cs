using KTls.Fuzz.Handshakes;
using KTls.Fuzz.Parsers;

namespace KTls.Fuzz;

/// <summary>All that is fuzzed.</summary>
internal static class Targets
{
    public static Target[] All { get; } =
    [
        .. HelloTargets.All,
        .. MessageTargets.All,
        .. RecordTargets.All,
        .. ResumptionTargets.All,
        .. PeerKeyTargets.All,
        .. CredentialTargets.All,
        .. HandshakeTargets.All,
        .. AfterTargets.All,
    ];

    public static Target ByName(string name) => Array.Find(All, target => target.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
        ?? throw new ArgumentException($"There is no target '{name}'. There are: {string.Join(", ", All.Select(target => target.Name))}.");
}
