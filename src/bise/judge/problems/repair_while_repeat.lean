namespace RepeatUntil

abbrev State := String → Int

inductive Cmd where
  | skip : Cmd
  | assign : String → (State → Int) → Cmd
  | seq : Cmd → Cmd → Cmd
  | ite : (State → Bool) → Cmd → Cmd → Cmd
  | repeat : Cmd → (State → Bool) → Cmd

def State.set (s : State) (x : String) (v : Int) : State :=
  fun y => if y = x then v else s y

def Assigns (x : String) : Cmd → Prop
  | .skip => False
  | .assign y _ => x = y
  | .seq c d => Assigns x c ∨ Assigns x d
  | .ite _ c d => Assigns x c ∨ Assigns x d
  | .repeat c _ => Assigns x c

inductive BigStep : Cmd → State → State → Prop where
  | skip (s) : BigStep .skip s s
  | assign (x e s) : BigStep (.assign x e) s (State.set s x (e s))
  | seq {c d s t u} : BigStep c s t → BigStep d t u → BigStep (.seq c d) s u
  | ite {b c d s t} : BigStep (if b s then c else d) s t → BigStep (.ite b c d) s t
  | repeatDone {c b s t} : BigStep c s t → b t = true → BigStep (.repeat c b) s t
  | repeatMore {c b s t u} :
      BigStep c s t → b t = false → BigStep (.repeat c b) t u → BigStep (.repeat c b) s u

/- Before `BigStep` was changed:

inductive BigStep : Cmd → State → State → Prop where
  | skip (s) : BigStep .skip s s
  | assign (x e s) : BigStep (.assign x e) s (State.set s x (e s))
  | seq {c d s t u} : BigStep c s t → BigStep d t u → BigStep (.seq c d) s u
  | ite {b c d s t} : BigStep (if b s then c else d) s t → BigStep (.ite b c d) s t

The proof that fitted it, and has to be mended:

theorem untouched {c : Cmd} {s t : State} {x : String} (run : BigStep c s t)
    (h : ¬ Assigns x c) : t x = s x := by
  induction run with
  | skip s => rfl
  | assign y e s => exact if_neg h
  | seq _ _ ih1 ih2 =>
    exact (ih2 (fun a => h (.inr a))).trans (ih1 (fun a => h (.inl a)))
  | ite _ ih =>
    apply ih
    split
    · exact fun a => h (.inl a)
    · exact fun a => h (.inr a)

theorem repeat_tested {c : Cmd} {b : State → Bool} {s t : State}
    (run : BigStep (.repeat c b) s t) : b t = true := by
  cases run

theorem repeat_once {c : Cmd} {b : State → Bool} {s t : State}
    (run : BigStep (.repeat c b) s t) : ∃ u, BigStep c s u := by
  cases run
-/

theorem untouched {c : Cmd} {s t : State} {x : String} (run : BigStep c s t)
    (h : ¬ Assigns x c) : t x = s x := sorry

theorem repeat_tested {c : Cmd} {b : State → Bool} {s t : State}
    (run : BigStep (.repeat c b) s t) : b t = true := sorry

theorem repeat_once {c : Cmd} {b : State → Bool} {s t : State}
    (run : BigStep (.repeat c b) s t) : ∃ u, BigStep c s u := sorry

end RepeatUntil
