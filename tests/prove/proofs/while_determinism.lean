namespace WhileLang

abbrev State := String → Int

inductive Cmd where
  | skip : Cmd
  | assign : String → (State → Int) → Cmd
  | seq : Cmd → Cmd → Cmd
  | ite : (State → Bool) → Cmd → Cmd → Cmd
  | loop : (State → Bool) → Cmd → Cmd

def State.set (s : State) (x : String) (v : Int) : State :=
  fun y => if y = x then v else s y

inductive BigStep : Cmd → State → State → Prop where
  | skip (s) : BigStep .skip s s
  | assign (x e s) : BigStep (.assign x e) s (State.set s x (e s))
  | seq {c d s t u} : BigStep c s t → BigStep d t u → BigStep (.seq c d) s u
  | iteTrue {b c d s t} : b s = true → BigStep c s t → BigStep (.ite b c d) s t
  | iteFalse {b c d s t} : b s = false → BigStep d s t → BigStep (.ite b c d) s t
  | loopFalse {b c s} : b s = false → BigStep (.loop b c) s s
  | loopTrue {b c s t u} :
      b s = true → BigStep c s t → BigStep (.loop b c) t u → BigStep (.loop b c) s u

theorem deterministic {c : Cmd} {s t u : State}
    (h1 : BigStep c s t) (h2 : BigStep c s u) : t = u := by
  induction h1 generalizing u with
  | skip => cases h2; rfl
  | assign => cases h2; rfl
  | seq _ _ ih1 ih2 =>
    cases h2 with
    | seq h h' =>
      have e := ih1 h
      subst e
      exact ih2 h'
  | iteTrue hb _ ih =>
    cases h2 with
    | iteTrue _ h => exact ih h
    | iteFalse hb' _ => rw [hb] at hb'; cases hb'
  | iteFalse hb _ ih =>
    cases h2 with
    | iteTrue hb' _ => rw [hb] at hb'; cases hb'
    | iteFalse _ h => exact ih h
  | loopFalse hb =>
    cases h2 with
    | loopFalse _ => rfl
    | loopTrue hb' _ _ => rw [hb] at hb'; cases hb'
  | loopTrue hb _ _ ih1 ih2 =>
    cases h2 with
    | loopFalse hb' => rw [hb] at hb'; cases hb'
    | loopTrue _ h h' =>
      have e := ih1 h
      subst e
      exact ih2 h'

theorem loop_exit {b : State → Bool} {c : Cmd} {s t : State}
    (h : BigStep (.loop b c) s t) : b t = false := by
  generalize hw : Cmd.loop b c = w at h
  induction h with
  | skip => cases hw
  | assign => cases hw
  | seq => cases hw
  | iteTrue => cases hw
  | iteFalse => cases hw
  | loopFalse hb =>
    cases hw
    exact hb
  | loopTrue _ _ _ _ ih =>
    cases hw
    exact ih rfl

end WhileLang
