using System.Buffers.Binary;
using System.Net.Sockets;
using KTls.Handshake;

namespace KTls.DataPlane.Tests.Interleaving;

/// <summary>One connection that takes steps, and the model beside it: after each step they agree, and the peer has opened every record.</summary>
internal sealed partial class Run : IAsyncDisposable
{
    // A read has room for more than one record of data, and for less than a ticket.
    private const int DataSize = 4;
    private const int ReadSize = 6;
    private const int FileSize = 4096;

    // The second part of it begins like a KeyUpdate, at which the kernel stops.
    private static readonly byte[] Ticket = [.. Lab.Ticket[..8], 24, .. Lab.Ticket[9..]];
    private static readonly byte[] FileContent = System.Security.Cryptography.RandomNumberGenerator.GetBytes(FileSize);
    private static readonly TempFile File = new(FileContent);

    private readonly Link _link;
    private readonly Witness _witness;
    private readonly Setup _setup;
    private readonly Model _model;
    private readonly List<Step> _steps = [];
    private readonly byte[] _buffer = new byte[ReadSize];
    private Task<int>? _reading;
    private bool _hasRoom;
    private bool _alertIsDue = true;

    private Run(Link link, Witness witness, Setup setup)
    {
        _link = link;
        _witness = witness;
        _setup = setup;
        _model = new Model(setup);
    }

    public IReadOnlyList<Step> Steps => _steps;

    public Model Model => _model;

    private Socket OurSocket => _setup.IsClient ? _link.Tcp.Client : _link.Tcp.Server;

    private Socket PeerSocket => _setup.IsClient ? _link.Tcp.Server : _link.Tcp.Client;

    public static async Task<Run> BeginAsync(Setup setup)
    {
        var witness = new Witness();
        var options = new KTlsOptions
        {
            KernelDirections = setup.Directions,
            ReceiveWithoutRekey = setup.Receive,
            UpdateRequestWithoutRekey = setup.Request,
            MaxKeyUpdatesPerSecond = 1_000_000,
            SessionStore = witness,
            LoggerFactory = witness,
        };
        byte[] early = Bytes(0, DataSize);
        Link link = setup.IsClient ? await Link.ClientAsync(options) : await Link.ServerAsync(options, early: early);
        var run = new Run(link, witness, setup);
        Assert.Equal(setup.KernelSends, link.Ours.Sending.Kind == DataPlaneKind.Kernel);
        if (setup.IsClient)
        {
            run.AssertReceivingPlane();
        }
        else
        {
            run._model.PeerWrites(early);
        }

        return run;
    }

    public async Task TakeAsync(Step step)
    {
        _steps.Add(step);
        switch (step)
        {
            case Step.Read or Step.ReadWithoutRoom:
                await ReadAsync(hasRoom: step == Step.Read);
                break;
            case Step.Write or Step.SendFile or Step.Update or Step.RequestUpdate or Step.Shutdown:
                await SendAsync(step);
                break;
            case Step.Dispose:
                await DisposeOursAsync();
                break;
            case Step.PeerResets when !_model.IsDisposed && !_model.IsReset:
                await ResetAsync();
                break;
            default:
                if (!_model.PeerIsSilent)
                {
                    await ArriveAsync(step);
                }

                break;
        }
    }

    /// <summary>Waits until a read that is waiting has met all that it can. What a reset or a Dispose leaves undone nobody knows.</summary>
    public Task SettleAsync() =>
        _model.IsReset || _model.IsDisposed ? Task.CompletedTask : _witness.WaitAsync(_model.UpdatesMet, _setup.IsClient ? _model.TicketsMet : 0);

    public async ValueTask DisposeAsync()
    {
        await _link.DisposeAsync();
        _witness.Dispose();
    }

    // A step's bytes tell which step it was.
    private static byte[] Bytes(int number, int length)
    {
        byte[] bytes = new byte[length];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        return bytes;
    }

    private async Task ArriveAsync(Step step)
    {
        int number = _steps.Count;
        switch (step)
        {
            case Step.PeerWrites:
                byte[] data = Bytes(number, DataSize);
                _model.PeerWrites(data);
                await _link.Peer.SendDataAsync(data);
                break;
            case Step.PeerUpdates or Step.PeerRequestsUpdate:
                bool requested = step == Step.PeerRequestsUpdate;
                _model.PeerUpdates(requested);
                await _link.SendAsync((ContentType.Handshake, Lab.KeyUpdate(requested)));
                break;
            case Step.Ticket when !_setup.IsClient:
                // A server gets none; the alert that says nothing stands for it.
                _model.Ticket(looksLikeUpdate: false);
                await _link.SendAsync((ContentType.Alert, TlsAlert.Create(AlertDescription.UserCanceled)));
                break;
            case Step.Ticket:
                bool inTwoRecords = number % 2 == 0;
                _model.Ticket(looksLikeUpdate: inTwoRecords);
                await (inTwoRecords
                    ? _link.SendAsync((ContentType.Handshake, Ticket[..8]), (ContentType.Handshake, Ticket[8..]))
                    : _link.SendAsync((ContentType.Handshake, Ticket)));
                break;
            case Step.PeerCloses:
                _model.PeerCloses();
                await _link.SendAsync((ContentType.Alert, Lab.CloseNotify));
                break;
            default:
                Assert.Equal(Step.PeerEndsTcp, step);
                _model.PeerEndsTcp();
                PeerSocket.Shutdown(SocketShutdown.Send);
                break;
        }

        await CheckReadAsync();
    }
}
