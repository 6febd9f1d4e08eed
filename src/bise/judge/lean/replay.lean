import Lean.Environment

/-!
Lets a fresh kernel check declarations that somebody else wrote down.

Two files lie in the working folder, both written by the judge: `Header.olean` says what to import,
`Declarations.olean` holds the declarations, each after what it rests on. The second may come later:
a line on standard input says that it is there. Answers begin with the word given as argument.

Declarations are told apart by their place in the file; names and terms are never printed.
Plain recursion and no library loops: in WebAssembly the library's code is there for calls only.
-/

@[expose] public section

open Lean

/-- What went wrong, as a number: the judge has the words. -/
inductive Fault where
  | kernel | missing | differs | axiomatic | unsafeDecl | shape

def Fault.word : Fault → String
  | .kernel => "kernel"
  | .missing => "missing"
  | .differs => "differs"
  | .axiomatic => "axiom"
  | .unsafeDecl => "unsafe"
  | .shape => "shape"

def count : List Name → Nat → Nat
  | [], so_far => so_far
  | _ :: names, so_far => count names (so_far + 1)

abbrev Step := Except (Nat × Fault) (Kernel.Environment × Nat)

def add (env : Kernel.Environment) (at_ next : Nat) (decl : Declaration) : Step :=
  match Kernel.Environment.addDeclCore env 0 decl none with
  | .ok env => .ok (env, next)
  | .error _ => .error (at_, .kernel)

/-- Constructors of one type, from a place on. -/
def constructorsFrom (all : Array ConstantInfo) : Nat → List Name → Option (List Constructor × Nat)
  | at_, [] => some ([], at_)
  | at_, name :: names =>
    match all[at_]? with
    | some (.ctorInfo info) =>
      if info.name == name then
        match constructorsFrom all (at_ + 1) names with
        | some (rest, next) => some ({ name := name, type := info.type } :: rest, next)
        | none => none
      else none
    | _ => none

/-- The types of one block, `place` the first of them, and behind all of them their constructors. -/
def typesFrom (all : Array ConstantInfo) :
    Nat → Nat → List Name → Option (List InductiveType × Nat)
  | _, next, [] => some ([], next)
  | place, next, name :: names =>
    match all[place]? with
    | some (.inductInfo info) =>
      if info.name == name then
        match constructorsFrom all next info.ctors with
        | some (ctors, next) =>
          match typesFrom all (place + 1) next names with
          | some (rest, next) => some ({ name := name, type := info.type, ctors := ctors } :: rest, next)
          | none => none
        | none => none
      else none
    | _ => none

/-- One declaration, or one block of them: the environment with it, and where the next stands. -/
def step (env : Kernel.Environment) (all : Array ConstantInfo) (at_ : Nat) : ConstantInfo → Step
  | .axiomInfo _ => .error (at_, .axiomatic)
  | .defnInfo info =>
    match info.safety with
    | .safe => add env at_ (at_ + 1) (.defnDecl info)
    | _ => .error (at_, .unsafeDecl)
  | .thmInfo info => add env at_ (at_ + 1) (.thmDecl info)
  | .opaqueInfo info =>
    if info.isUnsafe then .error (at_, .unsafeDecl) else add env at_ (at_ + 1) (.opaqueDecl info)
  | .quotInfo info =>
    match info.kind with
    | .type => add env at_ (at_ + 1) .quotDecl
    | _ => match env.find? info.name with
      | some (.quotInfo _) => .ok (env, at_ + 1)
      | _ => .error (at_, .missing)
  | .inductInfo info =>
    if info.isUnsafe then .error (at_, .unsafeDecl)
    else match typesFrom all at_ (count info.all at_) info.all with
      | some (types, next) =>
        add env at_ next (.inductDecl info.levelParams info.numParams types false)
      | none => .error (at_, .shape)
  | .ctorInfo _ => .error (at_, .shape)
  | .recInfo info =>
    match env.find? info.name with
    | some (.recInfo made) => if made == info then .ok (env, at_ + 1) else .error (at_, .differs)
    | _ => .error (at_, .missing)

partial def replayFrom (env : Kernel.Environment) (all : Array ConstantInfo) (at_ : Nat) :
    Except (Nat × Fault) Kernel.Environment :=
  match all[at_]? with
  | none => .ok env
  | some info =>
    match step env all at_ info with
    | .error fault => .error fault
    | .ok (env, next) => replayFrom env all next

def sameType (one other : InductiveVal) : Bool :=
  one.toConstantVal == other.toConstantVal && one.numParams == other.numParams
    && one.numIndices == other.numIndices && one.all == other.all && one.ctors == other.ctors
    && one.numNested == other.numNested && one.isRec == other.isRec
    && one.isUnsafe == other.isUnsafe && one.isReflexive == other.isReflexive

/-- What the kernel keeps of a declaration is what the file says of it: the first that differs. -/
partial def differing (env : Kernel.Environment) (all : Array ConstantInfo) (at_ : Nat) : Option Nat :=
  match all[at_]? with
  | none => none
  | some (.inductInfo info) =>
    match env.find? info.name with
    | some (.inductInfo made) =>
      if sameType made info then differing env all (at_ + 1) else some at_
    | _ => some at_
  | some (.ctorInfo info) =>
    match env.find? info.name with
    | some (.ctorInfo made) => if made == info then differing env all (at_ + 1) else some at_
    | _ => some at_
  | some _ => differing env all (at_ + 1)

def replay (word : String) : IO Unit := do
  let (header, _) ← readModuleData "Header.olean"
  let env ← importModules header.imports {} 0
  let out ← IO.getStdout
  out.putStrLn "ready"
  out.flush
  let _ ← (← IO.getStdin).getLine
  let (data, _) ← readModuleData "Declarations.olean"
  let say (told : String) : IO Unit := out.putStrLn (String.append word (String.append " " told))
  match replayFrom env.toKernelEnv data.constants 0 with
  | .error (at_, fault) =>
    say (String.append fault.word (String.append " " (Nat.repr at_)))
  | .ok env =>
    match differing env data.constants 0 with
    | some at_ => say (String.append "differs " (Nat.repr at_))
    | none => say (String.append "accepted " (Nat.repr data.constants.size))
  out.flush

def main : List String → IO Unit
  | [word] => replay word
  | _ => throw (IO.userError "expected one word")
