using System.Net.Security;
using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>What the runner wants of one connection: the flags, read. A test has one set for the first connection and one for those that resume.</summary>
internal sealed class ConnectionFlags
{
    public bool IsServer { get; set; }

    public ushort MinVersion { get; set; }

    public ushort MaxVersion { get; set; } = 0x0304;

    public List<NamedGroup> Groups { get; } = [];

    public string CertificateFile { get; set; } = string.Empty;

    public string KeyFile { get; set; } = string.Empty;

    public string HostName { get; set; } = string.Empty;

    public IReadOnlyList<SslApplicationProtocol> AdvertisedProtocols { get; set; } = [];

    public string SelectedProtocol { get; set; } = string.Empty;

    public bool DeclinesProtocols { get; set; }

    public bool RejectsProtocols { get; set; }

    /// <summary>Refuses the client by this alert when its ClientHello is there.</summary>
    public AlertDescription? RefusesClientWith { get; set; }

    public bool VerifiesPeer { get; set; }

    public bool RefusesPeerCertificate { get; set; }

    public bool ShimWritesFirst { get; set; }

    public string InitialWrite { get; set; } = "hello";

    public bool ShimShutsDown { get; set; }

    public bool ChecksCloseNotify { get; set; }

    public bool SendsAlert { get; set; }

    public bool WritesDifferentRecordSizes { get; set; }

    public bool UpdatesKeys { get; set; }

    public bool UpdatesKeysBeforeRead { get; set; }

    public int ReadSize { get; set; } = 512;

    public bool HandshakeMustFail { get; set; }

    public ushort ExpectedVersion { get; set; }

    public ushort ExpectedCipherSuite { get; set; }

    public ushort ExpectedGroup { get; set; }

    public string ExpectedProtocol { get; set; } = string.Empty;

    public string? ExpectedServerName { get; set; }

    public string ExpectedPeerCertificateFile { get; set; } = string.Empty;
}
