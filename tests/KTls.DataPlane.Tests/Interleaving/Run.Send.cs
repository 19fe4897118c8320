using KTls.Handshake;

namespace KTls.DataPlane.Tests.Interleaving;

/// <summary>Writes, files, key updates of ours, and the end of our side.</summary>
internal sealed partial class Run
{
    private async Task SendAsync(Step step)
    {
        // What we send may depend on what a read has met that is waiting still.
        await SettleAsync();
        int number = _steps.Count;
        var records = new List<(ContentType Type, byte[] Content)>();
        byte[] data = Bytes(number, 5);
        int offset = number % (FileSize - 7);
        SendOutcome outcome = step switch
        {
            Step.Write => _model.Write(data, records),
            Step.SendFile => _model.Write(FileContent[offset..(offset + 7)], records),
            Step.Shutdown => _model.Shutdown(records),
            _ => _model.Update(request: step == Step.RequestUpdate, records),
        };
        await CheckSentAsync(outcome, SendOursAsync(step, data, offset).WaitAsync(Lab.Patience));
        foreach ((ContentType type, byte[] content) in records)
        {
            await _link.AssertReceivesAsync(type, content);
        }

        if (!_model.IsReset)
        {
            Assert.Equal(_model.UpdatesSent, _witness.UpdatesSent);
        }
    }

    private async Task SendOursAsync(Step step, byte[] data, int offset)
    {
        switch (step)
        {
            case Step.Write:
                await _link.Ours.WriteAsync(data);
                break;
            case Step.SendFile:
                Assert.Equal(7, await _link.Ours.SendFileAsync(File.Handle, offset, 7));
                break;
            case Step.Shutdown:
                await _link.Ours.ShutdownAsync();
                break;
            default:
                await _link.Ours.UpdateKeysAsync(requestPeerUpdate: step == Step.RequestUpdate);
                break;
        }
    }

    private Task CheckSentAsync(SendOutcome outcome, Task sending) => outcome switch
    {
        SendOutcome.Done => sending,
        SendOutcome.Unsupported => Assert.ThrowsAsync<PlatformNotSupportedException>(() => sending),
        SendOutcome.ShutDown => Assert.ThrowsAsync<InvalidOperationException>(() => sending),
        SendOutcome.Failure => AssertFailsAsync(_model.IsReset ? Failure.Reset : _model.SendFailure, sending),
        _ => Assert.ThrowsAsync<ObjectDisposedException>(() => sending),
    };
}
