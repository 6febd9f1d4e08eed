namespace Hoare

abbrev State := String → Int

def State.set (s : State) (x : String) (v : Int) : State :=
  fun y => if y = x then v else s y

inductive Cmd where
  | skip : Cmd
  | assign : String → (State → Int) → Cmd
  | seq : Cmd → Cmd → Cmd
  | ite : (State → Bool) → Cmd → Cmd → Cmd
  | loop : (State → Bool) → Cmd → Cmd

inductive BigStep : Cmd → State → State → Prop where
  | skip (s) : BigStep .skip s s
  | assign (x e s) : BigStep (.assign x e) s (s.set x (e s))
  | seq {c d s t u} : BigStep c s t → BigStep d t u → BigStep (.seq c d) s u
  | iteTrue {b c d s t} : b s = true → BigStep c s t → BigStep (.ite b c d) s t
  | iteFalse {b c d s t} : b s = false → BigStep d s t → BigStep (.ite b c d) s t
  | loopFalse {b c s} : b s = false → BigStep (.loop b c) s s
  | loopTrue {b c s t u} :
      b s = true → BigStep c s t → BigStep (.loop b c) t u → BigStep (.loop b c) s u

inductive Triple : (State → Prop) → Cmd → (State → Prop) → Prop where
  | skip (P) : Triple P .skip P
  | assign (P x e) : Triple (fun s => P (s.set x (e s))) (.assign x e) P
  | seq {P Q R c d} : Triple P c Q → Triple Q d R → Triple P (.seq c d) R
  | ite {P Q b c d} :
      Triple (fun s => P s ∧ b s = true) c Q → Triple (fun s => P s ∧ b s = false) d Q →
      Triple P (.ite b c d) Q
  | loop {P b c} :
      Triple (fun s => P s ∧ b s = true) c P →
      Triple P (.loop b c) (fun s => P s ∧ b s = false)
  | consequence {P P' Q Q' c} :
      (∀ s, P' s → P s) → Triple P c Q → (∀ s, Q s → Q' s) → Triple P' c Q'

theorem soundness {P Q : State → Prop} {c : Cmd} (h : Triple P c Q) {s t : State} (hs : P s)
    (run : BigStep c s t) : Q t := sorry

theorem no_way_out {P : State → Prop} {c : Cmd} (h : Triple P c (fun _ => False)) (s : State)
    (hs : P s) : ¬ ∃ t, BigStep c s t := sorry

end Hoare
