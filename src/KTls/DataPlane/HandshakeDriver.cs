using System.Buffers;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using KTls.Authentication;
using KTls.Handshake;
using KTls.Kernel;

namespace KTls.DataPlane;

/// <summary>
/// Moves records between a socket and a handshake. It receives as much as there is, so what the peer sent after its last
/// handshake record may be here already when the handshake ends: <see cref="Unconsumed"/>.
/// </summary>
internal sealed class HandshakeDriver : IDisposable
{
    // Room for the largest record and then some.
    private const int BufferSize = 20 * 1024;

    private readonly KernelSocket _socket;
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
    private int _start;
    private int _end;

    // Bytes at the front of the buffer that have to be zeroed.
    private int _used;

    public HandshakeDriver(KernelSocket socket) => _socket = socket;

    /// <summary>What was received and belongs to no record that the handshake took.</summary>
    public ReadOnlySpan<byte> Unconsumed => _buffer.AsSpan(_start, _end - _start);

    /// <summary>All that is received stays in <see cref="Received"/>, for <see cref="Fallback.ReplayStream"/>, up to so many bytes; null: it need not.</summary>
    public long? KeepsAtMost { get; set; }

    /// <summary>Everything since the first byte, while <see cref="KeepsAtMost"/> is set and no record was encrypted; valid until the next call.</summary>
    public ReadOnlySpan<byte> Received => _buffer.AsSpan(0, _end);

    /// <summary>Goes on until the handshake asks for something that is not a record.</summary>
    /// <exception cref="TlsAlertException">The handshake has failed; the alert was sent.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask RunAsync(TlsHandshake handshake, HandshakeTime time)
    {
        CancellationToken cancellationToken = time.Token;
        bool hasSent = false;
        while (true)
        {
            if (!handshake.Output.IsEmpty)
            {
                await _socket.SendAsync(handshake.Output, cancellationToken).ConfigureAwait(false);
                handshake.OutputSent();
                hasSent = true;
            }

            switch (handshake.Status)
            {
                case HandshakeStatus.NeedsRecord:
                    try
                    {
                        if (TryReceiveRecord(handshake, out int needed))
                        {
                            break;
                        }

                        MakeRoom(handshake, needed);
                    }
                    catch
                    {
                        await SendAlertAsync(handshake, cancellationToken).ConfigureAwait(false);
                        throw;
                    }

                    int received = await ReceiveAsync(isAnswer: hasSent, cancellationToken).ConfigureAwait(false);
                    hasSent = false;
                    _end += received != 0 ? received : throw new IOException("The peer closed the connection during the handshake.");
                    _used = Math.Max(_used, _end);
                    break;
                case HandshakeStatus.NeedsSignature:
                    await SignAsync(handshake, time).ConfigureAwait(false);
                    break;
                default:
                    return;
            }
        }
    }

    private ValueTask<int> ReceiveAsync(bool isAnswer, CancellationToken cancellationToken)
    {
        Memory<byte> room = _buffer.AsMemory(_end);
        return isAnswer ? _socket.ReceiveAnswerAsync(room, cancellationToken) : _socket.ReceiveAsync(room, cancellationToken);
    }

    // The key is elsewhere. Whatever goes wrong there is our fault, not the peer's.
    private async ValueTask SignAsync(TlsHandshake handshake, HandshakeTime time)
    {
        CancellationToken cancellationToken = time.Token;
        SignatureRequest request = handshake.SignatureRequest!;
        try
        {
            handshake.ProvideSignature(await request.Credential.SignAsync(request.Scheme, request.Content, time.TokenToKeep).ConfigureAwait(false));
        }
        catch (TlsAlertException)
        {
            await SendAlertAsync(handshake, cancellationToken).ConfigureAwait(false);
            throw;
        }
        catch
        {
            await FailAsync(handshake, AlertDescription.InternalError, cancellationToken).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Ends a handshake with an alert to the peer.</summary>
    public async ValueTask FailAsync(TlsHandshake handshake, AlertDescription alert, CancellationToken cancellationToken)
    {
        handshake.Fail(alert);
        await SendAlertAsync(handshake, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sends what a failed handshake has left to say. The peer may be gone, and the socket closed by its owner: the failure is what counts.</summary>
    public async ValueTask SendAlertAsync(TlsHandshake handshake, CancellationToken cancellationToken)
    {
        try
        {
            if (!handshake.Output.IsEmpty)
            {
                await _socket.SendAsync(handshake.Output, cancellationToken).ConfigureAwait(false);
                handshake.OutputSent();
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
        }
    }

    public void Dispose()
    {
        byte[] buffer = _buffer;
        _buffer = [];
        _start = _end = 0;
        if (buffer.Length != 0)
        {
            Return(buffer);
        }
    }

    private void Return(byte[] buffer)
    {
        CryptographicOperations.ZeroMemory(buffer.AsSpan(0, _used));
        ArrayPool<byte>.Shared.Return(buffer);
    }

    // Gives the handshake the next record if all of it is here; else tells how many bytes it takes from its first on.
    private bool TryReceiveRecord(TlsHandshake handshake, out int needed)
    {
        needed = RecordHeader.Size;
        if (_end - _start < needed)
        {
            return false;
        }

        try
        {
            needed = RecordHeader.Read(_buffer.AsSpan(_start)).RecordLength;
        }
        catch (TlsAlertException e)
        {
            handshake.Fail(e.Description);
            throw;
        }

        if (_end - _start < needed)
        {
            return false;
        }

        Span<byte> record = _buffer.AsSpan(_start, needed);
        _start += needed;
        handshake.ReceiveRecord(record);
        return true;
    }

    private void MakeRoom(TlsHandshake handshake, int needed)
    {
        if (KeepsAtMost is { } most)
        {
            if (_buffer.Length - _start < needed)
            {
                if (_start + needed > most)
                {
                    handshake.Fail(AlertDescription.UnexpectedMessage);
                    throw new TlsAlertException(AlertDescription.UnexpectedMessage, $"The records of the ClientHello are more than {most} bytes.");
                }

                byte[] larger = ArrayPool<byte>.Shared.Rent(_buffer.Length + BufferSize);
                Received.CopyTo(larger);
                Return(_buffer);
                _buffer = larger;
            }
        }
        else if (_start == _end)
        {
            _start = _end = 0;
        }
        else if (_buffer.Length - _start < needed)
        {
            Unconsumed.CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }
    }
}
