namespace KTls.DataPlane.Tests.Interleaving;

/// <summary>Who seals and opens, and what the options say where a kernel cannot change keys.</summary>
/// <param name="Directions">What the kernel is to do.</param>
/// <param name="Receive">Who receives without rekey.</param>
/// <param name="Request">What a request for our update does without rekey.</param>
/// <param name="IsClient">Our role. As a server we have the first data of the peer together with its last handshake message.</param>
internal sealed record Setup(KernelDirections Directions, ReceiveWithoutRekey Receive, UpdateRequestWithoutRekey Request, bool IsClient)
{
    public bool KernelSends => Directions.HasFlag(KernelDirections.Send);

    public bool KernelReceives => Directions.HasFlag(KernelDirections.Receive) && (Lab.CanRekey || Receive == ReceiveWithoutRekey.Kernel);

    /// <summary>Whether we can change our keys for sending.</summary>
    public bool CanUpdate => Lab.CanRekey || !KernelSends;

    /// <summary>Whether we can go on after a KeyUpdate of the peer.</summary>
    public bool CanFollow => Lab.CanRekey || !KernelReceives;
}
