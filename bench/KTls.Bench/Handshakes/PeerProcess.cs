using System.Security.Cryptography.X509Certificates;
using KTls.Tests;

namespace KTls.Bench.Handshakes;

/// <summary>The process of a <see cref="PeerProgram"/>, seen from the measured process.</summary>
internal sealed class PeerProcess : IDisposable
{
    /// <summary>What makes this program a peer.</summary>
    public const string Command = "peer";

    private readonly ChildProcess _process;

    public PeerProcess(string role, HandshakeKind kind)
    {
        _process = new ChildProcess(Role.Peer, Command, role, kind.ToArgument());
        if (role == "server")
        {
            _process.Tell(Convert.ToBase64String(TestPki.Ecdsa.Export(X509ContentType.Pkcs12)));
        }

        Port = int.Parse(_process.Answer());
    }

    /// <summary>Where the peer accepts connections.</summary>
    public int Port { get; }

    /// <summary>Sends a command, whose answer <see cref="Finish"/> waits for.</summary>
    public void Begin(string command) => _process.Tell(command);

    public void Finish() => _process.Answer();

    public void Dispose() => _process.Dispose();
}
