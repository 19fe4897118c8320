using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace RekeyStress.Peers;

/// <summary>A running peer. What it writes, it has received from us: every byte is checked.</summary>
internal sealed class PeerProcess : IDisposable
{
    private readonly Process _process;
    private readonly PeerProgram _program;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private PeerProcess(Process process, PeerProgram program)
    {
        _process = process;
        _program = program;
        Errors = process.StandardError.ReadToEndAsync();
    }

    /// <summary>What it writes about itself, once it has ended.</summary>
    public Task<string> Errors { get; }

    /// <summary>
    /// Completes when it has written its preface. s_server writes none if there is input for it before the handshake is complete.
    /// </summary>
    public Task Ready => _ready.Task;

    /// <summary>Bytes that it has received from us and that were right.</summary>
    public GrowingNumber Checked { get; } = new();

    /// <exception cref="UserErrorException">There is no such program.</exception>
    public static PeerProcess Start(PeerProgram program)
    {
        var start = new ProcessStartInfo(program.Command, program.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            return new PeerProcess(Process.Start(start)!, program);
        }
        catch (Win32Exception e)
        {
            throw new UserErrorException($"--peer needs the program {program.Command}, which cannot be started: {e.Message}");
        }
    }

    /// <summary>Has it send data, whole lines, or do what a line says that is a command.</summary>
    public async Task SayAsync(ReadOnlyMemory<byte> lines, CancellationToken cancellationToken)
    {
        await _process.StandardInput.BaseStream.WriteAsync(lines, cancellationToken);
        await _process.StandardInput.BaseStream.FlushAsync(cancellationToken);
    }

    public void CloseInput() => _process.StandardInput.Close();

    /// <summary>Checks what it receives, to the end.</summary>
    /// <param name="pattern">What it should be.</param>
    /// <param name="origin">And from where on.</param>
    /// <exception cref="InvalidDataException">It is something else.</exception>
    public async Task CheckOutputAsync(Pattern pattern, long origin)
    {
        byte[] buffer = new byte[65_536];
        bool isNoise = false;
        Stream output = _process.StandardOutput.BaseStream;
        if (_program.Preface is { } preface)
        {
            await SkipAsync(output, preface);
        }

        _ready.SetResult();

        for (int read; (read = await output.ReadAsync(buffer)) != 0;)
        {
            Memory<byte> received = buffer.AsMemory(0, WithoutNoise(buffer.AsSpan(0, read), ref isNoise));
            int matching = pattern.Matching(origin + Checked.Value, received.Span);
            Checked.Add(matching);
            if (matching != received.Length)
            {
                throw new InvalidDataException($"{_program.Command}, after {Checked.Value} bytes: {pattern.Explain(origin + Checked.Value, received.Span[matching..])}");
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

    // Byte by byte, for what comes behind it belongs to us already.
    private static async Task SkipAsync(Stream output, string preface)
    {
        byte[] last = Encoding.ASCII.GetBytes(preface);
        byte[] one = new byte[1];
        for (int matched = 0; matched < last.Length;)
        {
            await output.ReadExactlyAsync(one);
            matched = one[0] == last[matched] ? matched + 1 : one[0] == last[0] ? 1 : 0;
        }
    }

    // s_server writes lines of its own between ours, such as "Read BLOCK" and "SSL_do_handshake -> 1". They begin with a capital letter,
    // which the pattern does not have.
    private static int WithoutNoise(Span<byte> bytes, ref bool isNoise)
    {
        int length = 0;
        foreach (byte b in bytes)
        {
            isNoise |= char.IsAsciiLetterUpper((char)b);
            if (!isNoise)
            {
                bytes[length++] = b;
            }

            isNoise &= b != '\n';
        }

        return length;
    }
}
