exports.createSocket = () => {
    throw new Error("Janus is spoken to over WebSockets here, not over Unix sockets");
};
