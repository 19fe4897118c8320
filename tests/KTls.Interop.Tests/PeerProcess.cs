using System.ComponentModel;
using System.Diagnostics;
using System.Net.NetworkInformation;
using System.Text;

namespace KTls.Interop.Tests;

/// <summary>A real TLS program as the other end: its standard input is what it sends, its output what it received.</summary>
internal sealed class PeerProcess : IDisposable
{
    // Three kernels share two processors, and gnutls-cli makes a system call a byte.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Process _process;
    private readonly Lock _lock = new();
    private readonly MemoryStream _output = new();
    private readonly Task _reading;
    private readonly Task<string> _errors;

    private PeerProcess(Process process)
    {
        _process = process;
        _reading = ReadOutputAsync(process.StandardOutput.BaseStream);
        _errors = process.StandardError.ReadToEndAsync();
    }

    public int ExitCode => _process.ExitCode;

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

        return Received();
    }

    /// <summary>What the program received so far, once it is so many bytes.</summary>
    public async Task<byte[]> ReceivedAsync(int count)
    {
        var watch = Stopwatch.StartNew();
        while (ReceivedLength() < count && watch.Elapsed < Patience && !_reading.IsCompleted)
        {
            await Task.Delay(20);
        }

        return Received();
    }

    /// <summary>Waits until the output fulfils a condition; returns it.</summary>
    public async Task<string> WaitForOutputAsync(Func<string, bool> condition)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            bool isAll = _reading.IsCompleted || watch.Elapsed > Patience;
            string output = Encoding.UTF8.GetString(Received());
            if (condition(output))
            {
                return output;
            }

            if (isAll)
            {
                throw new InvalidOperationException($"{_process.StartInfo.FileName} did not write what was expected, but: {output}");
            }

            await Task.Delay(10);
        }
    }

    public async Task<string> ErrorsAsync() => await _errors.WaitAsync(Patience);

    // A MemoryStream is longer before the bytes are in it, so whoever looks must wait until they are.
    private byte[] Received()
    {
        lock (_lock)
        {
            return _output.ToArray();
        }
    }

    private long ReceivedLength()
    {
        lock (_lock)
        {
            return _output.Length;
        }
    }

    private async Task ReadOutputAsync(Stream output)
    {
        byte[] buffer = new byte[64 * 1024];
        int read;
        while ((read = await output.ReadAsync(buffer)) != 0)
        {
            lock (_lock)
            {
                _output.Write(buffer, 0, read);
            }
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }
}
