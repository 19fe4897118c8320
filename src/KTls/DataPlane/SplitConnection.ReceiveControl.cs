using KTls.Authentication;
using KTls.Diagnostics;
using KTls.Handshake;
using KTls.Kernel;

namespace KTls.DataPlane;

internal sealed partial class SplitConnection
{
    // Messages, alerts and empty records in a row; a peer that sends more of them keeps us busy for nothing.
    private const int MaxWithoutData = 32;

    // Made when the first message, or alert, comes: most connections see none before their end.
    private PostHandshakeReader? _postHandshake;
    private byte[]? _alert;
    private int _alertLength;
    private int _withoutData;

    // A record that is no data must not come now: a message has begun, in this record or an earlier one, and not ended.
    private bool IsInsideControl => IsInsideMessage || _alertLength != 0;

    private bool IsInsideMessage => _postHandshake is { IsInsideMessage: true };

    private void ReceiveControl(ReceivedRecord received, ReadOnlySpan<byte> content)
    {
        if (received.EndOfStream)
        {
            ReceiveEndOfTcp();
            return;
        }

        var type = (ContentType)received.ContentType;
        if (_alertLength != 0 && type != ContentType.Alert)
        {
            throw new TlsAlertException(AlertDescription.DecodeError, "An alert that is not of two bytes.");
        }

        if (type != ContentType.Handshake && IsInsideMessage)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, $"A record of type {type} inside a handshake message (RFC 8446 §5.1).");
        }

        switch (type)
        {
            case ContentType.ApplicationData:
                CountWithoutData();
                break;
            case ContentType.Alert:
                ReceiveAlert(content, received.EndOfRecord);
                break;
            case ContentType.Handshake:
                ReceiveHandshake(content, received.EndOfRecord);
                break;
            default:
                throw new TlsAlertException(AlertDescription.UnexpectedMessage, $"A record of type {type} after the handshake.");
        }
    }

    private void ReceiveEndOfTcp()
    {
        if (IsInsideControl)
        {
            throw new IOException("The peer ended TCP in the middle of a message.");
        }

        if (_requireCloseNotify)
        {
            throw new EndOfStreamException(NoCloseNotify);
        }

        _hasEnded = true;
    }

    private void CountWithoutData()
    {
        if (++_withoutData > MaxWithoutData)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, $"More than {MaxWithoutData} messages in a row without data.");
        }
    }

    // A reader with a buffer of one byte gets an alert in two parts. An alert in two records does not exist (RFC 8446 §5.1).
    private void ReceiveAlert(ReadOnlySpan<byte> content, bool endOfRecord)
    {
        int length = _alertLength + content.Length;
        if (length == 0)
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, "An empty alert record (RFC 8446 §5.4).");
        }

        if (length > TlsAlert.Size || endOfRecord != (length == TlsAlert.Size))
        {
            throw new TlsAlertException(AlertDescription.DecodeError, "An alert that is not of two bytes.");
        }

        _alert ??= new byte[TlsAlert.Size];
        content.CopyTo(_alert.AsSpan(_alertLength));
        _alertLength = length;
        if (!endOfRecord)
        {
            return;
        }

        _alertLength = 0;
        AlertDescription description = TlsAlert.Read(_alert);
        switch (description)
        {
            case AlertDescription.CloseNotify:
                _closeNotifyReceived = true;
                _hasEnded = true;
                break;
            case AlertDescription.UserCanceled:
                // A close_notify follows (RFC 8446 §6.1).
                CountWithoutData();
                break;
            default:
                if (_session.CanUpdateKeys || !TlsAlert.IsWarning(_alert))
                {
                    throw TlsAlertException.FromPeer(description);
                }

                // TLS 1.2 goes on after a warning (RFC 5246 §7.2).
                CountWithoutData();
                break;
        }
    }

    private void ReceiveHandshake(ReadOnlySpan<byte> content, bool endOfRecord)
    {
        PostHandshakeReader reader = _postHandshake ??= _session.CreatePostHandshakeReader();
        reader.Append(content);
        while (reader.TryRead(out PostHandshakeMessage message))
        {
            CountWithoutData();
            switch (message)
            {
                case PostHandshakeMessage.NewSessionTicket:
                    KeepSession(reader.Ticket);
                    break;
                case PostHandshakeMessage.Renegotiation:
                    SendAlert(AlertDescription.NoRenegotiation);
                    break;
                default:
                    ReceiveKeyUpdate(message == PostHandshakeMessage.KeyUpdateRequested, endOfRecord);
                    break;
            }
        }
    }

    private void ReceiveKeyUpdate(bool updateRequested, bool endOfRecord)
    {
        if (!endOfRecord)
        {
            // Whatever follows, the reader's buffer was too small for it: it would be sealed with the old key and count for the new.
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, "A KeyUpdate is not the end of its record (RFC 8446 §5.1).");
        }

        if (!_keyUpdateRate.TryTake(Environment.TickCount64))
        {
            throw new TlsAlertException(AlertDescription.UnexpectedMessage, "The peer changes its keys more often than the options allow (MaxKeyUpdatesPerSecond).");
        }

        _session.UpdateReceiveKeys();
        using RecordKeys keys = _session.GetReceiveKeys();
        _receive.ChangeKeys(keys);
        _opened.Reset();
        if (updateRequested)
        {
            // Due before our next data (RFC 8446 §4.6.3): the next write sees to it.
            Volatile.Write(ref _owesKeyUpdate, true);
        }

        Instruments.KeyUpdateReceived();
        Log.KeyUpdateReceived(_logger, updateRequested);
    }

    private void KeepSession(ClientSession? session)
    {
        if (session is not null)
        {
            Establishment.Keep(_sessions, session);
        }
    }
}
