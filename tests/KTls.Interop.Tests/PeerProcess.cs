using System.ComponentModel;
using System.Diagnostics;
using System.Net.NetworkInformation;

namespace KTls.Interop.Tests;

/// <summary>A real TLS program as the other end: its standard input is what it sends, its output what it received.</summary>
internal sealed class PeerProcess : IDisposable
{
    // Three kernels share two processors, and gnutls-cli makes a system call a byte.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Process _process;
    private readonly MemoryStream _output = new();
    private readonly Task _reading;
    private readonly Task<string> _errors;

    private PeerProcess(Process process)
    {
        _process = process;
        _reading = process.StandardOutput.BaseStream.CopyToAsync(_output);
        _errors = process.StandardError.ReadToEndAsync();
    }

    public static PeerProcess Start(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            return new PeerProcess(Process.Start(start)!);
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException($"The test needs the program {program}, which cannot be started: {e.Message}. eng/test.sh fetches it.", e);
        }
    }

    /// <summary>Waits until the program listens on a port.</summary>
    public async Task WaitForPortAsync(int port)
    {
        var watch = Stopwatch.StartNew();
        while (!IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Any(listener => listener.Port == port))
        {
            if (_process.HasExited || watch.Elapsed > Patience)
            {
                throw new InvalidOperationException($"{_process.StartInfo.FileName} does not listen: {(_process.HasExited ? await _errors : "time is up")}");
            }

            await Task.Delay(20);
        }
    }

    public async Task SendAsync(byte[] data)
    {
        Stream input = _process.StandardInput.BaseStream;
        await input.WriteAsync(data);
        await input.FlushAsync();
    }

    public void CloseInput() => _process.StandardInput.Close();

    /// <summary>Waits for the end of the program; returns all of its output.</summary>
    public async Task<byte[]> FinishAsync()
    {
        try
        {
            await Task.WhenAll(_process.WaitForExitAsync(), _reading).WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            _process.Kill(entireProcessTree: true);
            throw new InvalidOperationException($"{_process.StartInfo.FileName} does not end. It says: {await _errors}");
        }

        return _output.ToArray();
    }

    /// <summary>What the program received so far, once it is so many bytes.</summary>
    public async Task<byte[]> ReceivedAsync(int count)
    {
        var watch = Stopwatch.StartNew();
        while (_output.Length < count && watch.Elapsed < Patience && !_reading.IsCompleted)
        {
            await Task.Delay(20);
        }

        return _output.ToArray();
    }

    public async Task<string> ErrorsAsync() => await _errors.WaitAsync(Patience);

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }
}
