using System.Net.Security;

namespace KTls.Interop.Tests.Matrix;

/// <summary>What one end says about a connection; null where it says nothing.</summary>
/// <param name="Suite">The cipher suite, which implies the version.</param>
/// <param name="Resumed">Whether a session was resumed.</param>
/// <param name="ClientCertificate">Server: whether a client certificate was verified. Client: whether it proved to have the key of one.</param>
/// <param name="Data">Whether what arrived is what was sent.</param>
internal sealed record Told(TlsCipherSuite? Suite, bool? Resumed, bool? ClientCertificate, bool Data)
{
    /// <summary>What differs from what the cell demands; null if nothing does.</summary>
    public string? Mismatch(string who, Cell cell)
    {
        bool resumed = cell.Kind == CellKind.Resumed;
        bool mutual = cell.Kind == CellKind.Mutual;
        return (Suite ?? cell.Suite, Resumed ?? resumed, ClientCertificate ?? mutual, Data) == (cell.Suite, resumed, mutual, true) ? null : $"{who} says {this}";
    }
}
