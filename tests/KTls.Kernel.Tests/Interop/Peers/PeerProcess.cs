using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace KTls.Tests.Interop;

/// <summary>A foreign TLS program at the other end. Its output is data, its error output is what it has to say.</summary>
internal sealed class PeerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _said = new();
    private readonly Task _listening;

    private PeerProcess(Process process)
    {
        _process = process;
        _listening = ListenAsync();
    }

    /// <summary>What it has written to its error output so far.</summary>
    public string Said
    {
        get
        {
            lock (_said)
            {
                return _said.ToString();
            }
        }
    }

    public static PeerProcess Start(string program, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // The machine's own settings are not what is tested.
        foreach (string name in (string[])["OPENSSL_CONF", "SSL_CERT_FILE", "SSL_CERT_DIR", "GNUTLS_SYSTEM_PRIORITY_FILE", "SSLKEYLOGFILE"])
        {
            start.Environment.Remove(name);
        }

        try
        {
            return new PeerProcess(Process.Start(start)!);
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException($"These tests need the program '{program}', which cannot be started ({e.Message}). Packages: openssl curl gnutls-bin", e);
        }
    }

    /// <summary>Gives it data to send. Its input stays open.</summary>
    public async Task WriteAsync(ReadOnlyMemory<byte> data)
    {
        await _process.StandardInput.BaseStream.WriteAsync(data).Soon();
        await _process.StandardInput.BaseStream.FlushAsync().Soon();
    }

    /// <summary>Ends its input.</summary>
    public void EndInput() => _process.StandardInput.Close();

    /// <summary>Takes the data that it received.</summary>
    public async Task<byte[]> ReadAsync(int length)
    {
        byte[] data = new byte[length];
        int read = await _process.StandardOutput.BaseStream.ReadAtLeastAsync(data, length, throwOnEndOfStream: false).Soon();
        Assert.True(read == length, $"{_process.StartInfo.FileName} ended after {read} of {length} bytes.\n{Said}");
        return data;
    }

    /// <summary>Waits for its end, and for all that it has to say. Its output must have been taken.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> EndAsync()
    {
        byte[] rest = new byte[200];
        int length = await _process.StandardOutput.BaseStream.ReadAtLeastAsync(rest, rest.Length, throwOnEndOfStream: false).Soon();
        Assert.True(length == 0, $"More output than expected: {Encoding.Latin1.GetString(rest, 0, length)}");
        await _process.WaitForExitAsync().Soon();
        await _listening.Soon();
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        await _listening;
        _process.Dispose();
    }

    private async Task ListenAsync()
    {
        char[] buffer = new char[4096];
        int length;
        while ((length = await _process.StandardError.ReadAsync(buffer)) != 0)
        {
            lock (_said)
            {
                _said.Append(buffer, 0, length);
            }
        }
    }
}
