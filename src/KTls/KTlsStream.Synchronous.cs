using System.Net.Sockets;
using KTls.Kernel;
using Microsoft.Win32.SafeHandles;

namespace KTls;

/// <content>Methods that block the calling thread while they wait.</content>
public sealed partial class KTlsStream
{
    private int _readTimeout = Timeout.Infinite;
    private int _writeTimeout = Timeout.Infinite;

    /// <summary>Always true.</summary>
    public override bool CanTimeout => true;

    /// <summary>How long a synchronous read may wait, in milliseconds from 1, or <see cref="Timeout.Infinite"/>, the default. It can be tried again.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is neither positive nor infinite.</exception>
    public override int ReadTimeout { get => _readTimeout; set => _readTimeout = CheckTimeout(value); }

    /// <summary>
    /// How long a synchronous write, or <see cref="SendFile"/>, may take as a whole, in milliseconds from 1, or <see cref="Timeout.Infinite"/>, the default. A part of the
    /// data may be out then.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is neither positive nor infinite.</exception>
    public override int WriteTimeout { get => _writeTimeout; set => _writeTimeout = CheckTimeout(value); }

    /// <summary>As <see cref="ReadAsync(Memory{byte}, CancellationToken)"/>, and blocks the thread while it waits.</summary>
    /// <param name="buffer">Where to put the data. Bytes beyond the returned count may be overwritten, too.</param>
    /// <param name="offset">First index in <paramref name="buffer"/>, from 0.</param>
    /// <param name="count">At most so many bytes, from 0, within <paramref name="buffer"/>; 0: this waits until there is something to read.</param>
    /// <returns>Bytes read; 0: the peer has ended the stream, or <paramref name="count"/> is 0.</returns>
    /// <exception cref="IOException">The connection broke, the peer violated the protocol, or <see cref="ReadTimeout"/> is over, after which a read can be tried again.</exception>
    /// <exception cref="EndOfStreamException">TCP ended without close_notify, and <see cref="KTlsOptions.RequireCloseNotify"/> is set.</exception>
    /// <exception cref="KeyUpdateUnavailableException">The peer has changed its keys, and the kernel cannot; see <see cref="KTlsOptions.ReceiveWithoutRekey"/>.</exception>
    /// <exception cref="NotSupportedException">Another read is under way.</exception>
    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Blocking(
            "read", _readTimeout, (Connection: Current, Memory: buffer.AsMemory(offset, count)),
            static (read, until, cancellationToken) => read.Connection.Read(read.Memory, until, cancellationToken));
    }

    /// <summary>As <see cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>, and blocks the thread while it waits.</summary>
    /// <param name="buffer">The data.</param>
    /// <param name="offset">First index in <paramref name="buffer"/>, from 0.</param>
    /// <param name="count">So many bytes, from 0, within <paramref name="buffer"/>.</param>
    /// <exception cref="IOException">The connection broke, or <see cref="WriteTimeout"/> is over; a part of the data may be out then.</exception>
    /// <exception cref="KeyUpdateUnavailableException">The key for sending may seal no more and cannot change; see <see cref="KTlsOptions.MaxBytesPerKey"/>.</exception>
    /// <exception cref="InvalidOperationException">The stream was shut down.</exception>
    /// <exception cref="NotSupportedException">Another write is under way.</exception>
    public override void Write(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        Blocking(
            "write", _writeTimeout, (Connection: Current, Memory: buffer.AsMemory(offset, count)),
            static (write, until, cancellationToken) =>
            {
                write.Connection.Write(write.Memory, until, cancellationToken);
                return write.Memory.Length;
            });
    }

    /// <summary>As <see cref="SendFileAsync"/>, and blocks the thread while it waits.</summary>
    /// <param name="file">A regular file that is open for reading. Its position does not matter and does not move.</param>
    /// <param name="offset">First byte, from 0.</param>
    /// <param name="count">So many bytes, from 0.</param>
    /// <returns>Bytes sent: fewer than <paramref name="count"/> only when the file ended.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="offset"/> or <paramref name="count"/> is negative.</exception>
    /// <exception cref="IOException">The connection broke, or <see cref="WriteTimeout"/> is over; a part of the data may be out then.</exception>
    /// <exception cref="FileReadException">The file cannot be read.</exception>
    /// <exception cref="InvalidOperationException">The stream was shut down.</exception>
    /// <exception cref="KeyUpdateUnavailableException">The key for sending may seal no more and cannot change; see <see cref="KTlsOptions.MaxBytesPerKey"/>.</exception>
    /// <exception cref="NotSupportedException">Another write is under way, or the file has no length.</exception>
    public long SendFile(SafeFileHandle file, long offset, long count)
    {
        CheckFileArguments(file, offset, count);
        return Blocking(
            "write", _writeTimeout, (Connection: Current, File: file, Offset: offset, Count: count),
            static (send, until, cancellationToken) => send.Connection.SendFile(send.File, send.Offset, send.Count, until, cancellationToken));
    }

    private static int CheckTimeout(int value) => value is > 0 or Timeout.Infinite ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A timeout is positive or infinite.");

    private static TResult Blocking<TArguments, TResult>(string operation, int timeout, TArguments arguments, Func<TArguments, long, CancellationToken, TResult> run)
    {
        if (timeout == Timeout.Infinite)
        {
            return run(arguments, KernelSocket.WithoutEnd, CancellationToken.None);
        }

        long until = Environment.TickCount64 + timeout;
        using var time = new CancellationTokenSource(timeout);
        try
        {
            return run(arguments, until, time.Token);
        }
        catch (OperationCanceledException) when (time.IsCancellationRequested || Environment.TickCount64 >= until)
        {
            // As it looks with NetworkStream.
            throw new IOException($"The {operation} took longer than {timeout} ms.", new SocketException((int)SocketError.TimedOut));
        }
    }
}
