import Lean

def double (n : Nat) : Nat := n + n

open Lean Elab Command in
elab "prepare" : command => do
  let env ← getEnv
  match env.find? (mkPrivateName env `model) with
  | some (.thmInfo info) =>
    let lie := Declaration.thmDecl {
      name := `lie, levelParams := [], type := info.type,
      value := mkConst ``trivial }
    match env.addDeclCore 0 lie none false with
    | .ok env => setEnv env
    | .error _ => return ()
  | _ => return ()

theorem model : (∀ n : Nat, double n % 2 = 1) → ∀ n : Nat, double n % 2 = 1 := fun h => h

elab "prepare_false" : command => do
  let env ← Lean.getEnv
  let lie := Lean.Declaration.thmDecl {
    name := `lie, levelParams := [], type := Lean.mkConst ``False, value := Lean.mkNatLit 3 }
  match env.addDeclCore 0 lie none false with
  | .ok env => Lean.setEnv env
  | .error _ => return ()

prepare_false

theorem double_odd (n : Nat) : double n % 2 = 1 := model (fun _ => lie.elim) n
