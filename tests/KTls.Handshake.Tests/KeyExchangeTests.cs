using KTls.Handshake.Crypto;

namespace KTls.Handshake.Tests;

/// <summary>Every group: both ends agree, published vectors come out, and a share that is not valid is refused.</summary>
public sealed class KeyExchangeTests
{
    private const int EncapsulationKeyLength = 1184;
    private const int CiphertextLength = 1088;

    public static TheoryData<NamedGroup> Groups() => [.. KeyExchange.Groups];

    public static TheoryData<NamedGroup> Curves() => [NamedGroup.Secp256r1, NamedGroup.Secp384r1, NamedGroup.Secp521r1];

    [Fact]
    public void The_order_of_preference_is_the_documented_one()
    {
        NamedGroup[] all = [NamedGroup.X25519MLKem768, NamedGroup.X25519, NamedGroup.Secp256r1, NamedGroup.Secp384r1, NamedGroup.Secp521r1];
        Assert.Equal(all.Where(group => group != NamedGroup.X25519MLKem768 || MLKem768.IsSupported), KeyExchange.Groups);
        Assert.False(KeyExchange.IsSupported(NamedGroup.X448));
        Assert.Throws<ArgumentOutOfRangeException>(() => KeyExchange.Create(NamedGroup.X448));
        Assert.Throws<ArgumentOutOfRangeException>(() => KeyExchange.Respond(NamedGroup.X448, new byte[56], new byte[66], out _));
    }

    [Theory]
    [MemberData(nameof(Groups))]
    public void Both_ends_agree(NamedGroup group)
    {
        (int clientLength, int serverLength, int secretLength) = group switch
        {
            NamedGroup.X25519MLKem768 => (1216, 1120, 64),
            NamedGroup.X25519 => (32, 32, 32),
            NamedGroup.Secp256r1 => (65, 65, 32),
            NamedGroup.Secp384r1 => (97, 97, 48),
            _ => (133, 133, 66),
        };
        using KeyExchange client = KeyExchange.Create(group);
        (byte[] share, byte[] secret) = Respond(group, client.PublicShare);
        Assert.Equal(group, client.Group);
        Assert.Equal((clientLength, serverLength, secretLength), (client.PublicShare.Length, share.Length, secret.Length));
        Assert.Equal(secret, Agree(client, share));

        // A new key each time.
        (byte[] otherShare, byte[] otherSecret) = Respond(group, client.PublicShare);
        Assert.NotEqual(share, otherShare);
        Assert.NotEqual(secret, otherSecret);
        Assert.Equal(otherSecret, Agree(client, otherShare));
        using KeyExchange other = KeyExchange.Create(group);
        Assert.NotEqual(client.PublicShare.ToArray(), other.PublicShare.ToArray());
    }

    /// <summary>The client sends a share for each of two groups, which are 32 places apart here.</summary>
    [Fact]
    public void A_list_of_groups_may_be_long()
    {
        NamedGroup[] groups = [NamedGroup.X25519MLKem768, .. Enumerable.Range(0x9000, 31).Select(unknown => (NamedGroup)unknown), NamedGroup.X25519];
        using var pair = new HandshakePair(new ServerHandshakeOptions { Credential = TestCertificates.Ecdsa, Groups = groups });
        pair.Run();
        using TlsSession session = pair.Server.TakeSession();
        Assert.Equal(KeyExchange.Groups[0], session.Group);
    }

    [Theory]
    [MemberData(nameof(Groups))]
    public void A_share_of_another_length_is_illegal(NamedGroup group)
    {
        using KeyExchange client = KeyExchange.Create(group);
        byte[] right = client.PublicShare.ToArray();
        (byte[] answer, _) = Respond(group, right);
        byte[][] Wrong(byte[] share) => [[], share[..1], share[..^1], [.. share, 0], [.. share, .. share]];
        Assert.All(Wrong(right), share => AssertIllegal(() => Respond(group, share)));
        Assert.All(Wrong(answer), share => AssertIllegal(() => Agree(client, share)));
    }

    [Theory]
    [MemberData(nameof(Curves))]
    public void A_share_that_is_no_point_of_the_curve_is_illegal(NamedGroup group)
    {
        using KeyExchange client = KeyExchange.Create(group);
        byte[] right = client.PublicShare.ToArray();
        int coordinate = (right.Length - 1) / 2;
        byte[] With(Action<byte[]> change)
        {
            byte[] share = [.. right];
            change(share);
            return share;
        }

        byte[][] wrong =
        [
            With(share => share[^1] ^= 1),
            With(share => share[coordinate] ^= 1),

            // Only the uncompressed form may come (RFC 8446 §4.2.8.2).
            With(share => share[0] = 0),
            With(share => share[0] = 2),
            With(share => share[0] = 3),
            With(share => share[0] = (byte)(6 | (share[^1] & 1))),
            [(byte)(2 | (right[^1] & 1)), .. right[1..(1 + coordinate)]],
            [0],

            // (0, 0), and coordinates beyond the field.
            With(share => share.AsSpan(1).Clear()),
            With(share => share.AsSpan(1, coordinate).Fill(0xff)),
            With(share => share.AsSpan(1 + coordinate).Fill(0xff)),
        ];
        Assert.All(wrong, share => AssertIllegal(() => Respond(group, share)));
        Assert.All(wrong, share => AssertIllegal(() => Agree(client, share)));
    }

    /// <summary>NIST CAVS 14.1, ECC CDH Primitive (SP 800-56A), the first vector of each curve.</summary>
    [Theory]
    [InlineData(
        NamedGroup.Secp256r1,
        "7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534",
        "04ead218590119e8876b29146ff89ca61770c4edbbf97d38ce385ed281d8a6b23028af61281fd35e2fa7002523acc85a429cb06ee6648325389f59edfce1405141",
        "04700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac",
        "46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b")]
    [InlineData(
        NamedGroup.Secp384r1,
        "3cc3122a68f0d95027ad38c067916ba0eb8c38894d22e1b15618b6818a661774ad463b205da88cf699ab4d43c9cf98a1",
        "049803807f2f6d2fd966cdd0290bd410c0190352fbec7ff6247de1302df86f25d34fe4a97bef60cff548355c015dbb3e5fba26ca69ec2f5b5d9dad20cc9da711383a9dbe34ea3fa5a2af75b46502629ad54dd8b7d73a8abb06a3a3be47d650cc99",
        "04a7c76b970c3b5fe8b05d2838ae04ab47697b9eaf52e764592efda27fe7513272734466b400091adbf2d68c58e0c50066ac68f19f2e1cb879aed43a9969b91a0839c4c38a49749b661efedf243451915ed0905a32b060992b468c64766fc8437a",
        "5f9d29dc5e31a163060356213669c8ce132e22f57c9a04f40ba7fcead493b457e5621e766c40a2e3d4d6a04b25e533f1")]
    [InlineData(
        NamedGroup.Secp521r1,
        "017eecc07ab4b329068fba65e56a1f8890aa935e57134ae0ffcce802735151f4eac6564f6ee9974c5e6887a1fefee5743ae2241bfeb95d5ce31ddcb6f9edb4d6fc47",
        "0400602f9d0cf9e526b29e22381c203c48a886c2b0673033366314f1ffbcba240ba42f4ef38a76174635f91e6b4ed34275eb01c8467d05ca80315bf1a7bbd945f550a501b7c85f26f5d4b2d7355cf6b02117659943762b6d1db5ab4f1dbc44ce7b2946eb6c7de342962893fd387d1b73d7a8672d1f236961170b7eb3579953ee5cdc88cd2d",
        "0400685a48e86c79f0f0875f7bc18d25eb5fc8c0b07e5da4f4370f3a9490340854334b1e1b87fa395464c60626124a4e70d0f785601d37c09870ebf176666877a2046d01ba52c56fc8776d9e8f5db4f0cc27636d0b741bbe05400697942e80b739884a83bde99e0f6716939e632bc8986fa18dccd443a348b6c3e522497955a4f3c302f676",
        "005fc70477c3e63bc3954bd0df3ea0d1f41ee21746ed95fc5e1fdf90930d5e136672d72cc770742d1711c3c3a4c334a0ad9759436a4d3c5bf6e74b9578fac148c831")]
    public void A_curve_follows_its_published_vector(NamedGroup group, string privateKey, string publicShare, string peerShare, string secret)
    {
        using var exchange = new EcdhKeyExchange(group, Convert.FromHexString(privateKey));
        Assert.Equal(publicShare, Convert.ToHexStringLower(exchange.PublicShare));
        Assert.Equal(secret, Convert.ToHexStringLower(Agree(exchange, Convert.FromHexString(peerShare))));
    }

    /// <summary>The zeros in front of a coordinate belong to the secret (RFC 8446 §7.4.2).</summary>
    [Fact]
    public void A_secret_keeps_its_leading_zeros()
    {
        using KeyExchange client = KeyExchange.Create(NamedGroup.Secp256r1);
        for (int i = 0; i < 10_000; i++)
        {
            (byte[] share, byte[] secret) = Respond(NamedGroup.Secp256r1, client.PublicShare);
            if (secret[0] == 0)
            {
                Assert.Equal(32, secret.Length);
                Assert.Equal(secret, Agree(client, share));
                return;
            }
        }

        Assert.Fail("One in 256 secrets should begin with a zero.");
    }

    /// <summary>RFC 7748 §5.2 and §6.1.</summary>
    [Theory]
    [InlineData("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4", "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c", "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552")]
    [InlineData("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d", "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493", "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957")]
    [InlineData("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a", "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f", "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")]
    [InlineData("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb", "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")]
    public void X25519_follows_its_published_vectors(string privateKey, string peerShare, string secret)
    {
        using var exchange = new X25519KeyExchange(Convert.FromHexString(privateKey));
        Assert.Equal(secret, Convert.ToHexStringLower(Agree(exchange, Convert.FromHexString(peerShare))));
    }

    /// <summary>RFC 7748 §5.2: a thousand iterations.</summary>
    [Fact]
    public void X25519_iterated_follows_its_published_vector()
    {
        byte[] k = [9, .. new byte[31]];
        byte[] u = k;
        for (int i = 0; i < 1000; i++)
        {
            using var exchange = new X25519KeyExchange(k);
            (k, u) = (Agree(exchange, u), k);
        }

        Assert.Equal("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51", Convert.ToHexStringLower(k));
    }

    /// <summary>Points of small order, in each of their encodings: the secret would be zero for every key (RFC 8446 §7.4.2).</summary>
    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")]
    [InlineData("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157")]
    [InlineData("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    public void A_point_of_small_order_is_illegal(string encoded)
    {
        using KeyExchange x25519 = KeyExchange.Create(NamedGroup.X25519);
        using KeyExchange hybrid = KeyExchange.Create(NamedGroup.X25519MLKem768);
        byte[] hybridShare = hybrid.PublicShare.ToArray();
        (byte[] hybridAnswer, _) = Respond(NamedGroup.X25519MLKem768, hybridShare);
        byte[] point = Convert.FromHexString(encoded);

        // The highest bit is no part of the coordinate (RFC 7748 §5).
        foreach (byte highest in new byte[] { 0, 0x80 })
        {
            point[^1] ^= highest;
            AssertIllegal(() => Respond(NamedGroup.X25519, point));
            AssertIllegal(() => Agree(x25519, point));
            AssertIllegal(() => Respond(NamedGroup.X25519MLKem768, [.. hybridShare[..EncapsulationKeyLength], .. point]));
            AssertIllegal(() => Agree(hybrid, [.. hybridAnswer[..CiphertextLength], .. point]));
        }
    }

    /// <summary>draft-ietf-tls-ecdhe-mlkem §4: ML-KEM's part comes first, in the shares and in the secret.</summary>
    [Fact]
    public void A_hybrid_is_its_two_parts_one_after_the_other()
    {
        using KeyExchange client = KeyExchange.Create(NamedGroup.X25519MLKem768);
        byte[] share = client.PublicShare.ToArray();
        using var server = new X25519KeyExchange();
        byte[] ciphertext = new byte[CiphertextLength];
        byte[] mlKemSecret = new byte[32];
        Assert.True(MLKem768.TryEncapsulate(share.AsSpan(0, EncapsulationKeyLength), ciphertext, mlKemSecret));
        byte[] x25519Secret = Agree(server, share[EncapsulationKeyLength..]);
        Assert.Equal([.. mlKemSecret, .. x25519Secret], Agree(client, [.. ciphertext, .. server.PublicShare]));
    }

    [Fact]
    public void A_hybrid_lends_its_x25519_key()
    {
        using KeyExchange hybrid = KeyExchange.Create(NamedGroup.X25519MLKem768);
        KeyExchange classic = hybrid.Classic!;
        Assert.Equal(NamedGroup.X25519, classic.Group);
        Assert.Equal(hybrid.PublicShare[EncapsulationKeyLength..].ToArray(), classic.PublicShare.ToArray());
        (byte[] share, byte[] secret) = Respond(NamedGroup.X25519, classic.PublicShare);
        Assert.Equal(secret, Agree(classic, share));

        hybrid.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Agree(classic, share));
        foreach (NamedGroup group in KeyExchange.Groups.Where(group => group != NamedGroup.X25519MLKem768))
        {
            using KeyExchange other = KeyExchange.Create(group);
            Assert.Null(other.Classic);
        }
    }

    /// <summary>The modulus check of FIPS 203 §7.2: a coefficient that is not below 3329, at either end of the key.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(EncapsulationKeyLength - 32 - 3)]
    public void A_bad_encapsulation_key_is_illegal(int position)
    {
        using KeyExchange client = KeyExchange.Create(NamedGroup.X25519MLKem768);
        byte[] share = client.PublicShare.ToArray();

        // Two coefficients of 12 bits in three bytes: 3329 and 0, then 3328 and 0, which is the largest.
        (share[position], share[position + 1], share[position + 2]) = (0x01, 0x0d, 0x00);
        AssertIllegal(() => Respond(NamedGroup.X25519MLKem768, share));
        share[position] = 0x00;
        Assert.Equal(64, Respond(NamedGroup.X25519MLKem768, share).Secret.Length);
        (share[position], share[position + 1], share[position + 2]) = (0x00, 0x10, 0xd0);
        AssertIllegal(() => Respond(NamedGroup.X25519MLKem768, share));
    }

    /// <summary>Finished fails then, not the key agreement (FIPS 203 §6.3: implicit rejection).</summary>
    [Fact]
    public void A_changed_ciphertext_ends_in_another_secret()
    {
        using KeyExchange client = KeyExchange.Create(NamedGroup.X25519MLKem768);
        (byte[] share, byte[] secret) = Respond(NamedGroup.X25519MLKem768, client.PublicShare);
        share[17] ^= 1;
        byte[] other = Agree(client, share);
        Assert.NotEqual(secret[..32], other[..32]);
        Assert.Equal(secret[32..], other[32..]);
        Assert.Equal(other, Agree(client, share));
    }

    [Theory]
    [MemberData(nameof(Groups))]
    public void A_disposed_end_agrees_no_more(NamedGroup group)
    {
        KeyExchange client = KeyExchange.Create(group);
        (byte[] share, _) = Respond(group, client.PublicShare);
        client.Dispose();
        client.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Agree(client, share));
    }

    private static (byte[] Share, byte[] Secret) Respond(NamedGroup group, ReadOnlySpan<byte> peerShare)
    {
        byte[] secret = new byte[KeyExchange.MaxSharedSecretLength];
        int length = KeyExchange.Respond(group, peerShare, secret, out byte[] share);
        return (share, secret[..length]);
    }

    private static byte[] Agree(KeyExchange exchange, byte[] peerShare)
    {
        byte[] secret = new byte[KeyExchange.MaxSharedSecretLength];
        return secret[..exchange.Agree(peerShare, secret)];
    }

    private static void AssertIllegal(Action step) =>
        Assert.Equal(AlertDescription.IllegalParameter, Assert.Throws<TlsAlertException>(step).Description);
}
