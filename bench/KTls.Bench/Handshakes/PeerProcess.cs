using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using KTls.Tests;

namespace KTls.Bench.Handshakes;

/// <summary>The process of a <see cref="PeerProgram"/>, seen from the measured process.</summary>
internal sealed class PeerProcess : IDisposable
{
    /// <summary>What makes this program a peer.</summary>
    public const string Command = "peer";

    private readonly Process _process;

    public PeerProcess(string role, HandshakeMode mode)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add("exec");
            start.ArgumentList.Add(typeof(PeerProcess).Assembly.Location);
        }

        start.ArgumentList.Add(Command);
        start.ArgumentList.Add(role);
        start.ArgumentList.Add(mode.ToString());
        _process = Process.Start(start)!;
        if (role == "server")
        {
            _process.StandardInput.WriteLine(Convert.ToBase64String(TestPki.Ecdsa.Export(X509ContentType.Pkcs12)));
        }

        Port = int.Parse(ReadAnswer());
    }

    /// <summary>Where the peer accepts connections.</summary>
    public int Port { get; }

    /// <summary>Sends a command, whose answer <see cref="Finish"/> waits for.</summary>
    public void Begin(string command)
    {
        _process.StandardInput.WriteLine(command);
        _process.StandardInput.Flush();
    }

    public void Finish() => ReadAnswer();

    public void Dispose()
    {
        _process.StandardInput.Dispose();
        _process.WaitForExit();
        _process.Dispose();
    }

    private string ReadAnswer() => _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The peer process has ended.");
}
