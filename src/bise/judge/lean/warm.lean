import Lean.Elab.Frontend
import Lean.Server.InfoUtils

/-!
Keeps a header imported and elaborates one file after another behind it.

Started with a word and a file that is a header; then each line of standard input asks for something:

    check FILE    elaborate FILE
    goals BYTE    the goals at a place of the file checked last

Every line of an answer begins with the word: `message` and `goal` with JSON behind it, last `done`.
What a file shares with the one before it, from its begin on, is not elaborated again.

Plain recursion and calls only: in WebAssembly the library's own loops have no code.
-/

@[expose] public section

open Lean Elab

structure Server where
  word : String
  out : IO.FS.Stream
  env : Environment
  messages : MessageLog

def inputOf (text name : String) : Parser.InputContext :=
  { inputString := text, fileName := name, fileMap := FileMap.ofString text,
    endPos := text.rawEndPos, endPos_valid := by simp }

def Server.say (server : Server) (kind told : String) : IO Unit :=
  server.out.putStrLn
    (String.append server.word (String.append " " (String.append kind (String.append " " told))))

def Server.finish (server : Server) : IO Unit := do
  server.say "done" ""
  server.out.flush

def sayMessages (server : Server) : List Message → IO Unit
  | [] => pure ()
  | message :: rest => do
    let told ← message.toJson
    server.say "message" (Json.compress told)
    sayMessages server rest

def check (server : Server) (before : Option IncrementalState) (file : String) :
    IO IncrementalState := do
  let input := inputOf (← IO.FS.readFile file) file
  let (_, parser, _) ← Parser.parseHeader input
  let command := Command.mkState server.env server.messages {}
  let state ← IO.processCommandsIncrementally input parser command before
  sayMessages server state.commandState.messages.toList
  pure state

def sayGoals (server : Server) (context : ContextInfo) : List MVarId → IO Unit
  | [] => pure ()
  | goal :: rest => do
    let told ← context.ppGoals [goal]
    server.say "goal" (Json.compress (Json.str told.pretty))
    sayGoals server context rest

def sayResults (server : Server) : List GoalsAtResult → IO Unit
  | [] => pure ()
  | found :: rest => do
    let info := found.tacticInfo
    if found.useAfter then
      sayGoals server { found.ctxInfo with mctx := info.mctxAfter } info.goalsAfter
    else
      sayGoals server { found.ctxInfo with mctx := info.mctxBefore } info.goalsBefore
    sayResults server rest

/-- What a term must have as its type, as if it were a goal. -/
def sayTermGoal (server : Server) (context : ContextInfo) (info : TermInfo) : IO Unit :=
  match info.expectedType? with
  | none => pure ()
  | some type =>
    let goal : MVarId := ⟨`_goal⟩
    let mctx := context.mctx.addExprMVarDecl goal .anonymous info.lctx #[] type
    sayGoals server { context with mctx := mctx } [goal]

def goalsOf (server : Server) (map : FileMap) (place : String.Pos.Raw) (tree : InfoTree) : IO Unit :=
  match tree.goalsAt? map place with
  | [] =>
    match tree.termGoalAt? place with
    | some found =>
      match found.info with
      | .ofTermInfo info => sayTermGoal server found.ctx info
      | _ => pure ()
    | none => pure ()
  | found => sayResults server found

partial def goalsOfAll (server : Server) (map : FileMap) (place : String.Pos.Raw)
    (trees : Array InfoTree) (at_ : Nat) : IO Unit := do
  match trees[at_]? with
  | none => pure ()
  | some tree => do
    goalsOf server map place tree
    goalsOfAll server map place trees (at_ + 1)

mutual
partial def goalsOfNode (server : Server) (map : FileMap) (place : String.Pos.Raw) :
    PersistentArrayNode InfoTree → IO Unit
  | .leaf trees => goalsOfAll server map place trees 0
  | .node nodes => goalsOfNodes server map place nodes 0

partial def goalsOfNodes (server : Server) (map : FileMap) (place : String.Pos.Raw)
    (nodes : Array (PersistentArrayNode InfoTree)) (at_ : Nat) : IO Unit := do
  match nodes[at_]? with
  | none => pure ()
  | some node => do
    goalsOfNode server map place node
    goalsOfNodes server map place nodes (at_ + 1)
end

def goals (server : Server) (state : IncrementalState) (place : Nat) : IO Unit := do
  let trees := state.commandState.infoState.trees
  goalsOfNode server state.inputCtx.fileMap ⟨place⟩ trees.root
  goalsOfAll server state.inputCtx.fileMap ⟨place⟩ trees.tail 0

partial def serve (server : Server) (input : IO.FS.Stream) (before : Option IncrementalState) :
    IO Unit := do
  let line ← input.getLine
  match line.splitOn " " with
  | ["check", file, _] => do
    let state ← check server before file
    server.finish
    serve server input (some state)
  | ["goals", place, _] => do
    match before with
    | some state => goals server state (place.toNat?.getD 0)
    | none => pure ()
    server.finish
    serve server input before
  | _ => pure ()

def main : List String → IO Unit
  | [word, header] => do
    let out ← IO.getStdout
    let input := inputOf (← IO.FS.readFile header) header
    let (syntax_, _, messages) ← Parser.parseHeader input
    let (env, messages) ← processHeader syntax_ {} messages input (mainModule := `Judged)
    let server : Server := { word := word, out := out, env := env, messages := messages }
    server.finish
    serve server (← IO.getStdin) none
  | _ => throw (IO.userError "expected a word and a file")
