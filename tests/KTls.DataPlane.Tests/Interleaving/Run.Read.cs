using System.Net.Sockets;
using KTls.Handshake;

namespace KTls.DataPlane.Tests.Interleaving;

/// <summary>Reads, and how the connection ends under them.</summary>
internal sealed partial class Run
{
    private const int Tcp = 6;
    private const int TcpInfo = 11;
    private const int TcpClosed = 7;

    private Task ReadAsync(bool hasRoom)
    {
        BeginRead(hasRoom);
        return CheckReadAsync();
    }

    private void BeginRead(bool hasRoom)
    {
        if (_reading is null)
        {
            _hasRoom = hasRoom;
            Array.Clear(_buffer);
            _reading = ReadOursAsync();
        }
    }

    // What throws at once fails like what throws later.
    private async Task<int> ReadOursAsync() => await _link.Ours.ReadAsync(_hasRoom ? _buffer : Memory<byte>.Empty);

    private async Task CheckReadAsync()
    {
        if (_reading is null)
        {
            return;
        }

        Task<int> reading = _reading.WaitAsync(Lab.Patience);
        ReadOutcome outcome = _model.Advance(_hasRoom);
        switch (outcome)
        {
            case ReadOutcome.Waits:
                Assert.False(_reading.IsCompleted, "A read that nothing has arrived for.");
                return;
            case ReadOutcome.Data:
                int count = await reading;
                Assert.Equal(_model.TakeData(count), _buffer[..count]);
                break;
            case ReadOutcome.Ready:
                Assert.Equal(0, await reading);
                break;
            case ReadOutcome.End:
                Assert.Equal(0, await reading);
                Assert.Equal(_model.CloseNotifyMet, _link.Ours.CloseNotifyReceived);
                break;
            case ReadOutcome.Failure:
                await AssertFailsAsync(_model.ReadFailure, reading);
                await CheckAlertAsync();
                break;
            default:
                await Assert.ThrowsAsync<ObjectDisposedException>(() => reading);
                break;
        }

        _reading = null;
        if (outcome != ReadOutcome.Disposed)
        {
            AssertReceivingPlane();
        }
    }

    private void AssertReceivingPlane() =>
        Assert.True(
            _setup.KernelReceives == (_link.Ours.Receiving.Kind == DataPlaneKind.Kernel) || (!_setup.IsClient && _steps.Count(step => step == Step.Read) < 2),
            $"{_link.Ours.Receiving.Kind} receives: {_link.Ours.Receiving.Reason}");

    private static Task AssertFailsAsync(Failure failure, Task operation) => failure switch
    {
        Failure.KeysCannotChange => Assert.ThrowsAsync<KeyUpdateUnavailableException>(() => operation),
        Failure.TooManyMessages => Assert.ThrowsAsync<IOException>(() => operation),
        _ => Assert.ThrowsAnyAsync<IOException>(() => operation),
    };

    // A failed read tells the peer why, once, unless our side of the stream has ended.
    private async Task CheckAlertAsync()
    {
        if (_alertIsDue && !_model.IsShutDown && !_model.IsReset)
        {
            await _link.AssertAlertAsync(_model.ReadFailure == Failure.TooManyMessages ? AlertDescription.UnexpectedMessage : AlertDescription.InternalError);
        }

        _alertIsDue = false;
    }

    private async Task DisposeOursAsync()
    {
        bool isFirst = !_model.IsDisposed;
        _model.Dispose();
        await _link.Ours.DisposeAsync();
        await CheckReadAsync();
        if (!isFirst || _model.IsReset)
        {
            return;
        }

        // No record comes before the end of TCP, which is a reset if something was unread.
        try
        {
            Assert.Equal(0, await PeerSocket.ReceiveAsync(new byte[100]).WaitAsync(Lab.Patience));
        }
        catch (SocketException e)
        {
            Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
        }
    }

    // What arrived before the reset may be lost, but not in the middle of it. Then comes the error, and stays.
    private async Task ResetAsync()
    {
        _model.PeerResets();
        PeerSocket.Close(0);
        byte[] info = new byte[8];
        do
        {
            OurSocket.GetRawSocketOption(Tcp, TcpInfo, info);
        }
        while (info[0] != TcpClosed);

        while (!_model.HasEnded && _model.ReadFailure == Failure.None)
        {
            BeginRead(hasRoom: true);
            Task<int> reading = _reading!;
            await ((Task)reading.WaitAsync(Lab.Patience)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!_hasRoom && reading.IsCompletedSuccessfully)
            {
                // The reset is something to read, too.
                Assert.Equal(0, reading.Result);
                _reading = null;
            }
            else if (_model.Advance(_hasRoom) == ReadOutcome.Waits || reading.Exception?.InnerException is IOException)
            {
                await AssertFailsAsync(Failure.Reset, reading);
                _model.MeetReset();
                _reading = null;
            }
            else
            {
                await CheckReadAsync();
            }
        }
    }
}
