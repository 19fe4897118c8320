using KTls.Handshake;

namespace KTls.Fuzz.Handshakes;

/// <summary>Reads what an end sends, with the keys that its key log tells, and notes the messages.</summary>
internal sealed class Wiretap(End sender) : IDisposable
{
    private Epoch _epoch;
    private RecordOpener? _opener;
    private bool _hasChangedCipher;

    public List<Fragment> Read(ReadOnlySpan<byte> records)
    {
        var fragments = new List<Fragment>();
        while (!records.IsEmpty)
        {
            int length = RecordHeader.Read(records).RecordLength;
            Fragment fragment = ReadOne(records[..length]);
            if (fragment.IsHandshake)
            {
                (fragment.IsOfHandshake ? sender.Sent : sender.SentAfter).Append(fragment.Content);
            }

            fragments.Add(fragment);
            records = records[length..];
        }

        return fragments;
    }

    public void Dispose() => _opener?.Dispose();

    private Fragment ReadOne(ReadOnlySpan<byte> record)
    {
        var type = (ContentType)record[0];
        if (type == ContentType.ApplicationData || _hasChangedCipher)
        {
            return Open(record);
        }

        _hasChangedCipher = type == ContentType.ChangeCipherSpec && sender.HasTls12Keys;
        return new Fragment(Epoch.Plain, type, record[RecordHeader.Size..].ToArray());
    }

    // Where the keys change is not to be seen in TLS 1.3: the first record that does not open says so.
    private Fragment Open(ReadOnlySpan<byte> record)
    {
        while (true)
        {
            try
            {
                if (_opener is not null)
                {
                    ReadOnlySpan<byte> content = _opener.Open(record.ToArray(), out ContentType type);
                    return new Fragment(_epoch, type, content.ToArray());
                }
            }
            catch (TlsAlertException e) when (e.Description == AlertDescription.BadRecordMac && _epoch == Epoch.Handshake)
            {
                // The next keys, then.
            }

            BrokenPromiseException.ThrowUnless(_epoch != Epoch.Application, "what an end seals opens with its keys");
            _epoch++;
            using RecordKeys? keys = sender.Keys(isSending: true, _epoch);
            _opener?.Dispose();
            _opener = keys is null ? null : new RecordOpener(keys);
        }
    }
}
