using KTls.Handshake;

namespace KTls.DataPlane;

internal sealed partial class SplitConnection
{
    private const int NoAlert = -1;

    private int _alertToSend = NoAlert;

    // A reader has something to tell and waits for nobody: when a writer is at work, the alert follows its records.
    private void SendAlert(AlertDescription description)
    {
        // With a full fence: who looks at the lock before the alert is to be seen misses the writer, who releases it and looks for one.
        Interlocked.Exchange(ref _alertToSend, (int)description);
        SendPendingAlert();
    }

    private void SendPendingAlert()
    {
        while (Volatile.Read(ref _alertToSend) != NoAlert && _sending.TryEnter())
        {
            int description = Interlocked.Exchange(ref _alertToSend, NoAlert);
            if (description == NoAlert)
            {
                _sending.Exit();
            }
            else
            {
                _ = SendAlertAndUnlockAsync((AlertDescription)description);
            }
        }
    }

    // When TCP has no room, the alert waits for some, or for the end of the connection.
    private async Task SendAlertAndUnlockAsync(AlertDescription description)
    {
        try
        {
            if (!_isShutDown && !_hasLostSendKeys)
            {
                await SendControlAsync(ContentType.Alert, TlsAlert.Create(description), CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The connection ends anyway: nobody is left to be told.
        }
        finally
        {
            UnlockSending();
        }
    }
}
