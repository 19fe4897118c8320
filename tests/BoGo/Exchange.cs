using System.Text;

namespace KTls.BoGo;

/// <summary>The conversation after the handshake: the shim answers each byte with its complement until the runner closes.</summary>
internal sealed class Exchange
{
    private static readonly int[] RecordSizes = [0, 1, 255, 256, 257, 16383, 16384, 16385, 32767, 32768, 32769];

    private readonly ConnectionFlags _flags;
    private readonly RunnerConnection _data;

    public Exchange(ConnectionFlags flags, RunnerConnection data)
    {
        _flags = flags;
        _data = data;
    }

    public void Run()
    {
        if (_flags.ExportLength != 0)
        {
            byte[]? context = _flags.HasExportContext ? Encoding.UTF8.GetBytes(_flags.ExportContext) : null;
            _data.Write(_data.Export(_flags.ExportLabel, context, _flags.ExportLength));
        }

        if (_flags.WritesDifferentRecordSizes)
        {
            foreach (int size in RecordSizes)
            {
                byte[] content = new byte[size];
                Array.Fill(content, (byte)0x42);
                _data.Write(content);
            }
        }
        else
        {
            if (_flags.ShimWritesFirst)
            {
                _data.Write(Encoding.UTF8.GetBytes(_flags.InitialWrite));
            }

            if (!_flags.ShimShutsDown)
            {
                Echo();
            }
        }

        Close();
    }

    private void Echo()
    {
        while (true)
        {
            if (_flags.UpdatesKeysBeforeRead)
            {
                _data.UpdateSendKeys();
            }

            ReadOnlySpan<byte> data = _data.Read();
            if (data.IsEmpty)
            {
                return;
            }

            byte[] answer = data.ToArray();
            for (int i = 0; i < answer.Length; i++)
            {
                answer[i] ^= 0xff;
            }

            // In parts, as a reader with a buffer of that size would.
            foreach (byte[] part in answer.Chunk(_flags.ReadSize))
            {
                if (_flags.UpdatesKeys)
                {
                    _data.UpdateSendKeys();
                }

                _data.Write(part);
            }
        }
    }

    private void Close()
    {
        if (!_flags.ChecksCloseNotify)
        {
            return;
        }

        _data.Shutdown();
        if (_flags.ShimShutsDown && !_data.Read().IsEmpty)
        {
            throw new ShimException(":APPLICATION_DATA_ON_SHUTDOWN:");
        }

        if (!_data.CloseNotifyReceived)
        {
            throw new ShimException("Unexpected SSL_shutdown result: -1 != 1");
        }
    }
}
