using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests;

/// <summary>
/// Right messages, changed at random, under the right keys: both state machines end in an alert or go on, and nothing else
/// comes out of them. A failure names the seed, and the same seed makes the same changes.
/// </summary>
[CollectionDefinition(nameof(RandomMutationTests), DisableParallelization = true)]
[Collection(nameof(RandomMutationTests))]
public sealed class RandomMutationTests
{
    private const int Rounds = 2000;
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(2);

    [Fact]
    public void The_server_ends_in_an_alert() => Run(seed =>
    {
        var random = new Random(seed);
        using ScriptedClient client = random.Next(4) == 0 ? ScriptedClient.ToBeRetried() : new ScriptedClient();
        int target = random.Next(3);
        return Attempt(client.Server, () =>
        {
            byte[] hello = client.Hello.ToMessage();
            if (target == 0)
            {
                SendInFragments(random, Mutate(random, hello), client.SendPlain);
                return;
            }

            if (client.Options.Groups.Count == 1)
            {
                client.GetRetried();
                SendInFragments(random, Mutate(random, client.Hello.ToMessage()), client.SendPlain);
                return;
            }

            client.SendHello();
            client.ReadFlight();
            SendInFragments(random, Mutate(random, client.Finished()), client.SendSealed);
        });
    });

    [Fact]
    public void The_client_ends_in_an_alert() => Run(seed =>
    {
        var random = new Random(seed);
        using var server = new ScriptedServer();
        int target = random.Next(7);
        return Attempt(server.Client, () =>
        {
            if (target == 0)
            {
                SendInFragments(random, Mutate(random, server.HelloRetryRequest().ToMessage()), server.SendPlain);
                return;
            }

            if (target == 1)
            {
                SendInFragments(random, Mutate(random, server.Hello.ToMessage()), server.SendPlain);
                return;
            }

            server.SendHello();
            byte[] request = Tls.Message(HandshakeType.CertificateRequest, [0], Tls.Vector16(Tls.Extension(13, Tls.Vector16([4, 3]))));
            byte[][] flight =
            [
                ScriptedServer.EncryptedExtensions(Tls.Extension(0), Tls.Extension(16, Tls.Vector16(Tls.Vector8("h2"u8.ToArray())))),
                .. random.Next(2) == 0 ? new[] { request } : [],
                server.Certificate(),
            ];
            foreach ((int index, byte[] message) in flight.Index())
            {
                server.Note(message);
                SendInFragments(random, index == target - 2 ? Mutate(random, message) : message, server.SendSealed);
            }

            byte[] verify = server.Note(server.CertificateVerify());
            SendInFragments(random, target == 5 ? Mutate(random, verify) : verify, server.SendSealed);
            if (server.Client.Status == HandshakeStatus.NeedsCertificateVerdict)
            {
                server.Client.AcceptPeerCertificate();
            }

            SendInFragments(random, Mutate(random, server.Finished()), server.SendSealed);
        });
    });

    [Fact]
    public void A_changed_certificate_ends_in_an_alert_or_a_verdict() => Run(seed =>
    {
        var random = new Random(seed);
        byte[] der = Mutate(random, TestCertificates.Ecdsa.Chain[0]);
        using ScriptedServer server = ScriptedServer.After(HandshakeType.EncryptedExtensions);
        return Attempt(server.Client, () =>
        {
            server.SendSealed(ScriptedServer.Certificate(der));
            using var chain = new X509Chain();
            var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, TrustMode = X509ChainTrustMode.CustomRootTrust, DisableCertificateDownloads = true };
            chain.ChainPolicy = PeerCertificateValidation.CreatePolicy(policy, X509RevocationMode.NoCheck, []);
            PeerCertificateValidation.Validate(chain, server.Client.PeerCertificate!, "localhost");
            server.SendSealed(server.CertificateVerify());
        });
    });

    [Fact]
    public void Random_records_end_in_an_alert() => Run(seed =>
    {
        var random = new Random(seed);
        using ScriptedClient client = ScriptedClient.BeforeFinished();
        return Attempt(client.Server, () =>
        {
            for (int i = 0; i < 50; i++)
            {
                byte[] content = new byte[random.Next(40)];
                random.NextBytes(content);
                client.Send(random.Next(3) switch
                {
                    0 => Tls.Record((ContentType)random.Next(18, 26), content),
                    1 => client.Seal((ContentType)random.Next(18, 26), content),
                    _ => [(byte)random.Next(18, 26), 3, (byte)random.Next(6), .. Tls.Vector16(content)],
                });
            }

            throw new InvalidOperationException("Fifty random records were all taken.");
        });
    });

    [Fact]
    public void Random_messages_after_the_handshake_end_in_an_alert() => Run(seed =>
    {
        var random = new Random(seed);
        bool isServer = random.Next(2) == 0;
        using TlsSession session = PostHandshakeTests.Session(isServer);
        using PostHandshakeReader reader = session.CreatePostHandshakeReader();
        byte[] update = Tls.Message(HandshakeType.KeyUpdate, [(byte)random.Next(2)]);
        byte[] ticket = Tls.Message(HandshakeType.NewSessionTicket, new byte[8], Tls.Vector8([0]), Tls.Vector16(new byte[30]), Tls.Vector16());
        try
        {
            SendInFragments(random, Mutate(random, random.Next(2) == 0 ? update : ticket), (type, part) =>
            {
                reader.Append(part);
                while (reader.TryRead(out _))
                {
                }
            });
            return false;
        }
        catch (TlsAlertException)
        {
            return true;
        }
    });

    /// <summary>What a client that never comes to the point makes a server hold: what it sent, and no more for what it announced.</summary>
    [Theory]
    [InlineData(4, 16 << 10)]
    [InlineData(16_000, 64 << 10)]
    [InlineData(65_000, 160 << 10)]
    public void A_message_without_its_end_holds_little(int sent, long limit)
    {
        const int Count = 200;
        var handshakes = new List<ServerHandshake>(Count);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        try
        {
            for (int i = 0; i < Count; i++)
            {
                var handshake = new ServerHandshake();
                handshakes.Add(handshake);
                byte[] start = [1, 1, 0, 0, .. new byte[sent - 4]];
                foreach (byte[] part in start.Chunk(1000))
                {
                    handshake.ReceiveRecord(Tls.Record(ContentType.Handshake, part));
                }
            }

            Assert.InRange((GC.GetTotalMemory(forceFullCollection: true) - before) / Count, sent / 2, limit);
        }
        finally
        {
            handshakes.ForEach(handshake => handshake.Dispose());
        }
    }

    // The share of the changes that were noticed shows that the changes reach the code at all.
    private static void Run(Func<int, bool> round)
    {
        var watch = Stopwatch.StartNew();
        int done = 0;
        int alerts = 0;
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int seed = 0; seed < Rounds && watch.Elapsed < MostTime; seed++, done++)
        {
            try
            {
                alerts += round(seed) ? 1 : 0;
            }
            catch (Exception e) when (e is not TlsAlertException)
            {
                Assert.Fail($"Seed {seed}: {e}");
            }
        }

        Assert.InRange(alerts, done / 5, done);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 16 << 20);
    }

    // True when it ended in an alert, which must stand ready unless the peer sent one.
    private static bool Attempt(TlsHandshake handshake, Action step)
    {
        try
        {
            step();
            return false;
        }
        catch (TlsAlertException e)
        {
            Assert.Equal(HandshakeStatus.Failed, handshake.Status);
            Assert.Equal(e.ReceivedFromPeer, handshake.Output.IsEmpty);
            Assert.InRange(handshake.Output.Length, 0, 20_000);
            return true;
        }
        catch (InvalidOperationException) when (handshake.Status is HandshakeStatus.NeedsCertificateVerdict or HandshakeStatus.Complete)
        {
            // The script went on where a change had brought the state machine to its next pause earlier.
            return false;
        }
    }

    private static void SendInFragments(Random random, byte[] message, Action<ContentType, byte[]> send)
    {
        int size = random.Next(4) == 0 ? random.Next(1, 64) : RecordHeader.MaxPlaintext;
        foreach (byte[] part in message.Chunk(size))
        {
            send(ContentType.Handshake, part);
        }
    }

    private static byte[] Mutate(Random random, byte[] original)
    {
        List<byte> bytes = [.. original];
        int changes = random.Next(1, 5);
        for (int i = 0; i < changes && bytes.Count > 4; i++)
        {
            int at = random.Next(bytes.Count);
            int count = Math.Min(random.Next(1, 9), bytes.Count - at);
            switch (random.Next(7))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes[at] = random.Next(2) == 0 ? (byte)0 : (byte)0xff;
                    break;
                case 3:
                    bytes.RemoveRange(at, count);
                    break;
                case 4:
                    bytes.InsertRange(at, bytes.GetRange(at, count));
                    break;
                case 5:
                    bytes.InsertRange(at, Enumerable.Range(0, count).Select(_ => (byte)random.Next(256)));
                    break;
                default:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }
        }

        // Mostly a length that fits, so that the change is read and not only its frame.
        return bytes.Count >= 4 && random.Next(5) != 0 ? Tls.Message((HandshakeType)bytes[0], [.. bytes[4..]]) : [.. bytes];
    }
}
