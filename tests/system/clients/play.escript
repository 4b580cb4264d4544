#!/usr/bin/env escript
%% What resuming_clients.py asks Erlang's ftp to do: listener, version of TLS, host, port, user, password, ca, then
%% verb, remote and local name of each step.
main([Listener, Version, Host, Port, User, Password, Ca | Steps]) ->
    {ok, _} = application:ensure_all_started(ftp),
    Method = case Listener of "implicit" -> ftps; "explicit" -> ftpes end,
    More = case Version of
               "1.2" -> [{versions, ['tlsv1.2']}];
               "1.3" -> [{versions, ['tlsv1.2', 'tlsv1.3']}, {session_tickets, auto}]
           end,
    Tls = [{verify, verify_peer}, {cacertfile, Ca}, {server_name_indication, "localhost"} | More],
    {ok, Ftp} = ftp:open(Host, [{port, list_to_integer(Port)}, {tls, Tls}, {tls_sec_method, Method},
                                {tls_ctrl_session_reuse, true}, {mode, passive}, {verbose, true}]),
    ok = ftp:user(Ftp, User, Password),
    ok = ftp:type(Ftp, binary),
    play(Ftp, Steps),
    ftp:close(Ftp).

play(_, []) ->
    ok;
play(Ftp, ["put", Remote, Local | Rest]) ->
    ok = ftp:send(Ftp, Local, Remote),
    play(Ftp, Rest);
play(Ftp, ["get", Remote, Local | Rest]) ->
    ok = ftp:recv(Ftp, Remote, Local),
    play(Ftp, Rest).
